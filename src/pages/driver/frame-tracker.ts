import type { Page } from "playwright-core";
import type { DriverConnection } from "./driver-connection.ts";

/** Playwright's isolated worlds; those of other clients of the browser, and of earlier ones, among them. */
const isolatedWorldPrefix = "__playwright_utility_world_";

/**
 * The name of the isolated world that this connection's Playwright made for a page: its prefix and
 * the page's id inside Playwright, which is not in the public types (as of 1.65).
 */
export function worldNameOf(page: Page): string {
  const { _guid } = page as unknown as { readonly _guid: string };
  return `${isolatedWorldPrefix}${_guid}`;
}

/** A frame of a page, as far as scripts can be run in it. */
export interface FrameWorld {
  /** CDP's id of the frame; stays the same when the frame navigates. */
  readonly frameId: string;
  /** Null for a page's main frame. */
  readonly parentFrameId: string | null;
  /** The CDP session of the target that renders the frame. */
  readonly sessionId: string;
  /**
   * Tells the frame's present document from all others there ever were. Contexts' numbers do not:
   * each renderer process counts its own from 1, and a page that goes to another site moves to one.
   */
  readonly documentId: string;
  /** The execution context of the isolated world in the frame's present document. */
  readonly contextId: number;
  /** The execution context of the page's own scripts; null while there is none. */
  readonly mainContextId: number | null;
  readonly origin: string;
}

interface Context {
  readonly sessionId: string;
  readonly contextId: number;
  /** V8's name of the context, which no other context has, whatever its process. */
  readonly uniqueId: string;
  readonly frameId: string;
  readonly origin: string;
  /** Null for the main world. */
  readonly worldName: string | null;
}

/** Follows which frames there are and where scripts can be run in them, for all pages of a browser. */
export class FrameTracker {
  readonly #contexts = new Map<string, Context>();
  readonly #parents = new Map<string, string>();
  /** The CDP session that Playwright attached to each target, by the target's id. */
  readonly #sessionOfTarget = new Map<string, string>();

  constructor(connection: DriverConnection) {
    connection.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      // The first one is Playwright's own; later ones are of CDP sessions that somebody asked it for.
      if (!this.#sessionOfTarget.has(targetInfo.targetId)) {
        this.#sessionOfTarget.set(targetInfo.targetId, sessionId);
      }
    });
    connection.on("Target.detachedFromTarget", ({ sessionId }) => {
      for (const [targetId, owner] of this.#sessionOfTarget) {
        if (owner === sessionId) this.#sessionOfTarget.delete(targetId);
      }
      this.#dropContexts((context) => context.sessionId === sessionId);
    });
    connection.on("Runtime.executionContextCreated", ({ context }, sessionId) => {
      const { frameId, isDefault } = (context.auxData ?? {}) as {
        frameId?: string;
        isDefault?: boolean;
      };
      if (frameId === undefined) return;
      if (isDefault !== true && !context.name.startsWith(isolatedWorldPrefix)) return;
      this.#contexts.set(`${sessionId}:${context.id}`, {
        sessionId,
        contextId: context.id,
        uniqueId: context.uniqueId,
        frameId,
        origin: context.origin,
        worldName: isDefault === true ? null : context.name,
      });
    });
    connection.on("Runtime.executionContextDestroyed", ({ executionContextId }, sessionId) => {
      this.#contexts.delete(`${sessionId}:${executionContextId}`);
    });
    connection.on("Runtime.executionContextsCleared", (_params, sessionId) => {
      this.#dropContexts((context) => context.sessionId === sessionId);
    });
    connection.on("Page.frameAttached", ({ frameId, parentFrameId }) => {
      this.#parents.set(frameId, parentFrameId);
    });
    connection.on("Page.frameDetached", ({ frameId, reason }) => {
      if (reason !== "swap") this.#parents.delete(frameId);
    });
  }

  /** The CDP session of a target; null where Playwright is not attached to it. */
  sessionOf(targetId: string): string | null {
    return this.#sessionOfTarget.get(targetId) ?? null;
  }

  /** Tells of frames that were there before Playwright attached. */
  learnParent(frameId: string, parentFrameId: string): void {
    this.#parents.set(frameId, parentFrameId);
  }

  /** The frames of a page, by the name of its isolated world and the id of its main frame, which comes first. */
  framesOf(worldName: string, mainFrameId: string): readonly FrameWorld[] {
    const contexts = [...this.#contexts.values()];
    // Frames of other sites have sessions of their own, but the world has the page's name there too.
    const worlds = contexts
      .filter((context) => context.worldName === worldName)
      .map((context) => ({
        frameId: context.frameId,
        parentFrameId: this.#parents.get(context.frameId) ?? null,
        sessionId: context.sessionId,
        documentId: context.uniqueId,
        contextId: context.contextId,
        mainContextId:
          contexts.find(
            (other) =>
              other.worldName === null &&
              other.frameId === context.frameId &&
              other.sessionId === context.sessionId,
          )?.contextId ?? null,
        origin: context.origin,
      }));
    // A frame that moves to another process has both for a moment: the later one is where it goes.
    const latest = new Map(worlds.map((world) => [world.frameId, world]));
    const main = latest.get(mainFrameId);
    latest.delete(mainFrameId);
    return main === undefined ? [] : [main, ...latest.values()];
  }

  #dropContexts(isGone: (context: Context) => boolean): void {
    for (const [key, context] of this.#contexts) {
      if (isGone(context)) this.#contexts.delete(key);
    }
  }
}
