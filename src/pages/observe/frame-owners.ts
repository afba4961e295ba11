import type { DrivenPage } from "../driver/driven-page.ts";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import { globalNameOf } from "../driver/in-page-scripts.ts";

/** How long the browser may take to say where a frame stands, in ms. */
const timeoutMs = 1000;

/** Finds the iframe element that holds a frame; remembers it as long as the parent's document lives. */
export class FrameOwners {
  readonly #keys = new Map<string, string>();

  /**
   * The key of a frame's iframe element in its parent's document. Null where it cannot be told, e.g.
   * because the frame is just going away. The parent's perception script must be installed.
   */
  async keyOf(page: DrivenPage, parent: FrameWorld, child: FrameWorld): Promise<string | null> {
    const place = `${parent.documentId}:${child.frameId}`;
    const known = this.#keys.get(place);
    if (known !== undefined) return known;
    try {
      const options = { sessionId: parent.sessionId, timeoutMs };
      const { backendNodeId } = await page.connection.command(
        "DOM.getFrameOwner",
        { frameId: child.frameId },
        options,
      );
      const { object } = await page.connection.command(
        "DOM.resolveNode",
        { backendNodeId, executionContextId: parent.contextId },
        options,
      );
      if (object.objectId === undefined) return null;
      const { result } = await page.connection.command(
        "Runtime.callFunctionOn",
        {
          functionDeclaration: `function () { return globalThis.${globalNameOf("perception")}.keyOf(this); }`,
          objectId: object.objectId,
          returnByValue: true,
        },
        options,
      );
      void page.connection
        .command("Runtime.releaseObject", { objectId: object.objectId }, options)
        .catch(() => {});
      if (typeof result.value !== "string") return null;
      this.#keys.set(place, result.value);
      return result.value;
    } catch {
      return null;
    }
  }
}
