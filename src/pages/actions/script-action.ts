import { setTimeout as delay } from "node:timers/promises";
import type { DrivenPage } from "../driver/driven-page.ts";
import { DriverCommandError } from "../driver/driver-connection.ts";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import type { ActionOf } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { ActionFailed } from "./failure.ts";

/** As the contract has it, in ms. */
const scriptTimeoutMs = 45_000;
/** After a script was told to end, how long it may take, in ms. */
const endTimeoutMs = 2000;
/** How long the page may take to read a script, in ms. */
const readTimeoutMs = 5000;
const longestResult = 1_000_000;
const longestError = 2000;

interface Answer {
  readonly result: {
    readonly type: string;
    readonly value?: unknown;
    readonly unserializableValue?: string;
    readonly description?: string;
  };
  readonly exceptionDetails?: ExceptionDetails;
}

interface ExceptionDetails {
  readonly text: string;
  readonly exception?: { readonly description?: string; readonly value?: unknown };
}

/** Runs a script among the page's own: one expression, or statements, with or without a `return`. */
export async function evaluateJs(
  context: ActionContext,
  action: ActionOf<"evaluate_js">,
): Promise<Done> {
  const { page } = context;
  const [main] = page.frames();
  if (main?.mainContextId == null) {
    throw new ActionFailed("loading", "The page is just loading; try again.");
  }
  const [form, otherForm] = await formsOf(context, main, action.code);
  let answer = await run(context, main, main.mainContextId, form);
  const { exceptionDetails } = answer;
  if (
    otherForm !== undefined &&
    exceptionDetails !== undefined &&
    isStrayReturn(exceptionDetails)
  ) {
    answer = await run(context, main, main.mainContextId, otherForm);
  }
  if (answer.exceptionDetails !== undefined) throw scriptError(answer.exceptionDetails);
  const markdown = textOf(answer.result);
  if (markdown.length > longestResult) {
    throw new ActionFailed(
      "too_large",
      `The script's result has ${markdown.length} characters; at most ${longestResult} are answered. Return less.`,
    );
  }
  return { message: "The script ran.", data: { markdown, images: null, structured: null } };
}

interface Script {
  readonly expression: string;
  /** As in a console: what one script declares, the next may declare again, and `await` stands anywhere. */
  readonly replMode: boolean;
}

/**
 * The forms of a script in which it may have a value, best first: as an expression where it is one,
 * otherwise as it stands, otherwise as the body of a function. The page only reads it for that.
 */
async function formsOf(
  context: ActionContext,
  world: FrameWorld,
  code: string,
): Promise<readonly [Script, Script?]> {
  const expression = `(async () => {
    const value = (\n${code.trim().replace(/;+$/, "")}\n);
    return typeof value === "function" ? value() : value;
  })()`;
  if ((await errorIn(context, world, expression)) === null) {
    return [{ expression, replMode: false }];
  }
  const body = { expression: `(async () => {\n${code}\n})()`, replMode: false };
  const asItStands = { expression: code, replMode: true };
  const error = await errorIn(context, world, code);
  if (error === null) return [asItStands];
  // What is wrong with it as it stands is what its author understands.
  if ((await errorIn(context, world, body.expression)) !== null) throw scriptError(error);
  return isStrayReturn(error) ? [body] : [asItStands, body];
}

/** Said before a script runs, so that it can be run in another form. */
function isStrayReturn(details: ExceptionDetails): boolean {
  return wordsOf(details).startsWith("SyntaxError: Illegal return");
}

/** What is wrong with a script before it runs; null for nothing. */
async function errorIn(
  { page }: ActionContext,
  world: FrameWorld,
  expression: string,
): Promise<ExceptionDetails | null> {
  const { exceptionDetails } = await page.connection.command(
    "Runtime.compileScript",
    {
      expression,
      sourceURL: "",
      persistScript: false,
      ...(world.mainContextId !== null && { executionContextId: world.mainContextId }),
    },
    { sessionId: world.sessionId, timeoutMs: readTimeoutMs },
  );
  return exceptionDetails ?? null;
}

/** Runs a script until it ends, for as long as the contract has it. Throws `ActionFailed`. */
async function run(
  { page, signal }: ActionContext,
  world: FrameWorld,
  contextId: number,
  script: Script,
): Promise<Answer> {
  const done = new AbortController();
  const evaluation = evaluate(page, world, contextId, script).finally(() => done.abort());
  const late = delay(scriptTimeoutMs, null, {
    signal: AbortSignal.any([signal, done.signal]),
  }).catch(() => null);
  const first = await Promise.race([evaluation.catch(asScriptFailure), late]);
  if (first !== null) return first;
  evaluation.catch(() => {});
  const options = { sessionId: world.sessionId, timeoutMs: endTimeoutMs };
  await page.connection
    .command("Runtime.terminateExecution", undefined, options)
    // The page is gone, and its script with it.
    .catch(() => {});
  signal.throwIfAborted();
  throw new ActionFailed(
    "timeout",
    `The script was still running after ${scriptTimeoutMs / 1000} seconds and was ended.`,
  );
}

async function evaluate(
  { connection }: DrivenPage,
  world: FrameWorld,
  contextId: number,
  { expression, replMode }: Script,
): Promise<Answer> {
  const options = { sessionId: world.sessionId, timeoutMs: scriptTimeoutMs + endTimeoutMs };
  const answer = await connection.command(
    "Runtime.evaluate",
    {
      expression,
      contextId,
      replMode,
      returnByValue: !replMode,
      awaitPromise: true,
      userGesture: true,
    },
    options,
  );
  const { objectId, subtype } = answer.result;
  if (objectId === undefined || answer.exceptionDetails !== undefined) return answer;
  // A console shows promises as they are: what they bring is asked for separately.
  if (subtype === "promise") {
    return connection.command(
      "Runtime.awaitPromise",
      { promiseObjectId: objectId, returnByValue: true },
      options,
    );
  }
  return connection.command(
    "Runtime.callFunctionOn",
    { objectId, functionDeclaration: "function () { return this; }", returnByValue: true },
    options,
  );
}

function asScriptFailure(error: unknown): never {
  if (!(error instanceof DriverCommandError)) throw error;
  if (/reference chain is too long|by value/i.test(error.message)) {
    throw new ActionFailed(
      "script_error",
      "The script's result is no plain data: return text, numbers, lists or plain objects.",
    );
  }
  throw new ActionFailed("navigated", "The page went away while the script ran.");
}

function scriptError(details: ExceptionDetails): ActionFailed {
  // The page's own words, without the places in a script that its author did not write like that.
  const [words = ""] = wordsOf(details).split(/\n\s+at /, 1);
  return new ActionFailed("script_error", `The script failed: ${words.slice(0, longestError)}`);
}

function wordsOf({ text, exception }: ExceptionDetails): string {
  return exception?.description ?? String(exception?.value ?? text);
}

/** As the contract has it: null as `null`, objects and lists as indented JSON, the rest as its text. */
function textOf({ type, value, unserializableValue }: Answer["result"]): string {
  if (unserializableValue !== undefined) return unserializableValue;
  if (type === "undefined") return "undefined";
  return typeof value === "object" && value !== null
    ? JSON.stringify(value, null, 2)
    : String(value);
}
