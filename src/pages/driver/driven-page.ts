import { randomUUID } from "node:crypto";
import type { Page } from "playwright-core";
import { DriverCommandError, type DriverConnection } from "./driver-connection.ts";
import { notingSelector } from "./element-engine.ts";
import { type FrameTracker, type FrameWorld, worldNameOf } from "./frame-tracker.ts";
import { globalNameOf, type InPageScript, installerOf } from "./in-page-scripts.ts";

/** A frame's document went away while something was asked of it: it navigated or closed. */
export class FrameGoneError extends Error {
  constructor() {
    super("the page navigated meanwhile");
    this.name = "FrameGoneError";
  }
}

/** A script in a page failed. */
class InPageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InPageError";
  }
}

/** How long a call into a page may take, in ms. */
const callTimeoutMs = 10_000;

/**
 * Calls one function of an installed script; null tells that the script is not there. The result
 * comes as JSON: the inspector takes about ten times longer to turn objects into values itself.
 */
const caller = `function (name, call, parameters, ...objects) {
  const script = globalThis[name];
  if (script === undefined) return null;
  const value = script[call](...(parameters ?? objects));
  const answer = (result) => JSON.stringify({ value: result });
  return value instanceof Promise ? value.then(answer) : answer(value);
}`;

/** What a function is called with: plain JSON, or objects of the world it is called in. */
type Parameters =
  | { readonly value: readonly unknown[] }
  | { readonly objectIds: readonly string[] };

/** One tab of a session's browser, seen from both sides: Playwright's page, and our scripts inside. */
export class DrivenPage {
  readonly page: Page;
  /** CDP's id of the tab; also that of its main frame. */
  readonly targetId: string;
  /** Playwright's CDP session of the tab, for commands of ours. */
  readonly sessionId: string;
  readonly connection: DriverConnection;
  readonly #frames: FrameTracker;

  constructor(
    page: Page,
    ids: { readonly targetId: string; readonly sessionId: string },
    connection: DriverConnection,
    frames: FrameTracker,
  ) {
    this.page = page;
    this.targetId = ids.targetId;
    this.sessionId = ids.sessionId;
    this.connection = connection;
    this.#frames = frames;
  }

  /** Its frames in which scripts can run now, the main one first; empty while it navigates. */
  frames(): readonly FrameWorld[] {
    return this.#frames.framesOf(worldNameOf(this.page), this.targetId);
  }

  /** Tells the document that its main frame shows now from those before and after; empty while it navigates. */
  documentId(): string {
    return this.frames()[0]?.documentId ?? "";
  }

  /** The CDP sessions in which the page and its frames are rendered: frames of other sites have their own. */
  sessionIds(): ReadonlySet<string> {
    return new Set([this.sessionId, ...this.frames().map(({ sessionId }) => sessionId)]);
  }

  /**
   * Calls a function that a script in `src/in-page` exports, in a frame's isolated world, and
   * answers what it returns; arguments and result are plain JSON. One round trip, but for the first
   * call in a document. Throws `FrameGoneError` when the document went away meanwhile.
   */
  call<T>(
    world: FrameWorld,
    script: InPageScript,
    name: string,
    parameters: readonly unknown[],
    timeoutMs = callTimeoutMs,
  ): Promise<T> {
    return this.#call(world, script, name, { value: parameters }, timeoutMs);
  }

  /** As `call`, the parameters being objects of the frame's isolated world, by their ids. */
  callOn<T>(
    world: FrameWorld,
    script: InPageScript,
    name: string,
    objectIds: readonly string[],
    timeoutMs = callTimeoutMs,
  ): Promise<T> {
    return this.#call(world, script, name, { objectIds }, timeoutMs);
  }

  /**
   * The key of the first element in the main frame that a Playwright selector matches; null where
   * none does. Throws what Playwright throws for a selector that is none.
   */
  async keyOfSelector(selector: string): Promise<string | null> {
    const [main] = this.frames();
    if (main === undefined) throw new FrameGoneError();
    const token = randomUUID();
    // The script has to be there before the selector engine calls it.
    await this.call(main, "perception", "takeNote", [token]);
    await this.page.locator(selector).locator(notingSelector(token)).count();
    return this.call<string | null>(main, "perception", "takeNote", [token]);
  }

  /**
   * Evaluates an expression in one of a frame's contexts; the result is plain JSON.
   * Throws `FrameGoneError` when the document went away meanwhile.
   */
  async evaluate<T>(
    world: FrameWorld,
    contextId: number,
    expression: string,
    timeoutMs = callTimeoutMs,
    options: { readonly commandLineApi?: boolean } = {},
  ): Promise<T> {
    const answer = await this.connection
      .command(
        "Runtime.evaluate",
        {
          expression,
          contextId,
          returnByValue: true,
          awaitPromise: true,
          includeCommandLineAPI: options.commandLineApi === true,
        },
        { sessionId: world.sessionId, timeoutMs },
      )
      .catch(asFrameGone);
    return resultOf<T>(answer);
  }

  async #call<T>(
    world: FrameWorld,
    script: InPageScript,
    name: string,
    parameters: Parameters,
    timeoutMs: number,
  ): Promise<T> {
    const first = await this.#callInstalled<T>(world, script, name, parameters, timeoutMs);
    if (first !== null) return first.value;
    await this.evaluate(world, world.contextId, await installerOf(script), timeoutMs);
    const second = await this.#callInstalled<T>(world, script, name, parameters, timeoutMs);
    if (second === null) throw new FrameGoneError();
    return second.value;
  }

  async #callInstalled<T>(
    world: FrameWorld,
    script: InPageScript,
    name: string,
    parameters: Parameters,
    timeoutMs: number,
  ): Promise<{ readonly value: T } | null> {
    const answer = await this.connection
      .command(
        "Runtime.callFunctionOn",
        {
          functionDeclaration: caller,
          executionContextId: world.contextId,
          arguments: [
            { value: globalNameOf(script) },
            { value: name },
            { value: "value" in parameters ? parameters.value : null },
            ...("value" in parameters
              ? []
              : parameters.objectIds.map((objectId) => ({ objectId }))),
          ],
          returnByValue: true,
          awaitPromise: true,
        },
        { sessionId: world.sessionId, timeoutMs },
      )
      .catch(asFrameGone);
    const json = resultOf<string | null>(answer);
    return json === null ? null : (JSON.parse(json) as { readonly value: T });
  }
}

interface EvaluationAnswer {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: {
    readonly text: string;
    readonly exception?: { readonly description?: string };
  };
}

function resultOf<T>({ result, exceptionDetails }: EvaluationAnswer): T {
  if (exceptionDetails !== undefined) {
    throw new InPageError(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
  return result.value as T;
}

/** As Chromium words it when a document, or the process that renders it, goes away. */
const goneWords =
  /context was destroyed|find context|context with specified id|Session with given id|Target closed|navigated or closed|Inspected target/i;

function asFrameGone(error: unknown): never {
  if (error instanceof DriverCommandError && goneWords.test(error.message)) {
    throw new FrameGoneError();
  }
  throw error;
}
