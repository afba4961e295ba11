import { isDeepStrictEqual } from "node:util";
import type { DrivenPage } from "../driver/driven-page.ts";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import type { ListenerIndices, ListeningElements } from "../perception-protocol.ts";

/** Asking is worth so much time at most: the walk does well without. In ms. */
const timeoutMs = 500;
/** Up to so many nodes are looked up one by one; more take less time in one go. */
const mostLookedUp = 24;
/** What is known of so many frames is kept. */
const mostFrames = 200;

/** The events that a press brings about beside the click. */
const pressEvents: ReadonlySet<string> = new Set(
  "pointerdown mousedown touchstart mouseup pointerup".split(" "),
);

/**
 * Runs among the page's own scripts, since only there `getEventListeners` (of the inspector, out of
 * reach of pages) sees their listeners. Counts elements as `allElements` of the perception script does.
 */
const expression = `(() => {
  const click = [], press = [];
  let count = 0;
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const listeners = getEventListeners(element);
      if (listeners.click) click.push(count);
      else if (listeners.pointerdown || listeners.mousedown || listeners.touchstart || listeners.mouseup || listeners.pointerup) press.push(count);
      count += 1;
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(document);
  return { count, click, press };
})()`;

/** A document as the inspector knows it, and the keys of its elements that were seen to listen. */
interface KnownDocument {
  readonly documentId: string;
  readonly objectId: string;
  /** By the inspector's number of the node; null for what is no element of this document. */
  readonly keys: Map<number, string | null>;
  /** What was found last, and how often in a row. */
  last: {
    readonly kinds: ReadonlyMap<number, Kind>;
    readonly elements: ListeningElements;
    times: number;
  } | null;
}

type Kind = "click" | "press";

/**
 * Finds what the page's own scripts listen to. The inspector tells in one go which nodes have
 * listeners, which is nearly free where few do, but calls them by numbers of its own: who they are
 * is asked once for each.
 */
export class Listeners {
  readonly #documents = new Map<string, KnownDocument>();

  /**
   * The elements of a frame that listen, by their keys; null where that cannot be told. The same
   * object as before where nothing changed.
   */
  async of(page: DrivenPage, world: FrameWorld): Promise<ListeningElements | null> {
    if (world.mainContextId === null) return null;
    try {
      const known = await this.#documentOf(page, world, world.mainContextId);
      const { listeners } = await page.connection.command(
        "DOMDebugger.getEventListeners",
        { objectId: known.objectId, depth: -1, pierce: true },
        { sessionId: world.sessionId, timeoutMs },
      );
      const kinds = kindsOf(listeners);
      const { last } = known;
      if (last !== null && isSame(kinds, last.kinds)) {
        last.times += 1;
        return last.elements;
      }
      known.last = null;
      const unknown = [...kinds.keys()].filter((node) => !known.keys.has(node));
      if (unknown.length > mostLookedUp) {
        return await this.#ofAll(page, world, world.mainContextId, known, kinds);
      }
      if (unknown.length > 0) await lookUp(page, world, known, unknown);
      const elements = elementsOf(kinds, known);
      // What listens in its iframes, say, may change without it.
      const isAsBefore = last !== null && isDeepStrictEqual(elements, last.elements);
      known.last = isAsBefore
        ? { ...last, kinds, times: last.times + 1 }
        : { kinds, elements, times: 1 };
      return known.last.elements;
    } catch {
      // A page that broke its own `querySelectorAll`, or is busy, is walked without.
      return null;
    }
  }

  /** What `of` will answer if nothing changed, where that was so the last time, too; null otherwise. */
  expected({ sessionId, frameId, documentId }: FrameWorld): ListeningElements | null {
    const known = this.#documents.get(`${sessionId}:${frameId}`);
    if (known?.documentId !== documentId || known.last === null) return null;
    return known.last.times > 1 ? known.last.elements : null;
  }

  async #documentOf(
    page: DrivenPage,
    world: FrameWorld,
    mainContextId: number,
  ): Promise<KnownDocument> {
    const place = `${world.sessionId}:${world.frameId}`;
    const known = this.#documents.get(place);
    if (known?.documentId === world.documentId) return known;
    const { result } = await page.connection.command(
      "Runtime.evaluate",
      { expression: "document", contextId: mainContextId },
      { sessionId: world.sessionId, timeoutMs },
    );
    if (result.objectId === undefined) throw new Error("the frame has no document");
    const found: KnownDocument = {
      documentId: world.documentId,
      objectId: result.objectId,
      keys: new Map(),
      last: null,
    };
    this.#documents.delete(place);
    this.#documents.set(place, found);
    if (this.#documents.size > mostFrames) {
      const [oldest] = this.#documents.keys();
      if (oldest !== undefined) this.#documents.delete(oldest);
    }
    return found;
  }

  /** Asks each element of the page; remembers who is who where both ways found the same. */
  async #ofAll(
    page: DrivenPage,
    world: FrameWorld,
    mainContextId: number,
    known: KnownDocument,
    kinds: ReadonlyMap<number, Kind>,
  ): Promise<ListeningElements | null> {
    const indices = await page.evaluate<ListenerIndices>(
      world,
      mainContextId,
      expression,
      timeoutMs,
      { commandLineApi: true },
    );
    const elements = await page.call<ListeningElements | null>(
      world,
      "perception",
      "keysAt",
      [indices],
      timeoutMs,
    );
    if (elements === null) return null;
    for (const kind of ["click", "press"] as const) {
      const nodes = [...kinds].filter(([, other]) => other === kind).map(([node]) => node);
      if (nodes.length !== elements[kind].length) continue;
      // Both go through the page from top to bottom.
      for (const [index, node] of nodes.entries()) {
        known.keys.set(node, elements[kind][index] ?? null);
      }
    }
    return elements;
  }
}

function isSame(one: ReadonlyMap<number, Kind>, other: ReadonlyMap<number, Kind>): boolean {
  if (one.size !== other.size) return false;
  for (const [node, kind] of one) if (other.get(node) !== kind) return false;
  return true;
}

/** What each node listens to, as far as it tells that it can be pressed. */
function kindsOf(
  listeners: readonly { readonly type: string; readonly backendNodeId?: number }[],
): ReadonlyMap<number, Kind> {
  const kinds = new Map<number, Kind>();
  for (const { type, backendNodeId } of listeners) {
    if (backendNodeId === undefined) continue;
    if (type === "click") kinds.set(backendNodeId, "click");
    else if (pressEvents.has(type) && !kinds.has(backendNodeId)) kinds.set(backendNodeId, "press");
  }
  return kinds;
}

function elementsOf(kinds: ReadonlyMap<number, Kind>, { keys }: KnownDocument): ListeningElements {
  const elements = { click: [] as string[], press: [] as string[] };
  for (const [node, kind] of kinds) {
    const key = keys.get(node) ?? null;
    if (key !== null) elements[kind].push(key);
  }
  return elements;
}

/** Remembers the keys of nodes; of those in other frames, and of documents, that they have none. */
async function lookUp(
  page: DrivenPage,
  world: FrameWorld,
  known: KnownDocument,
  nodes: readonly number[],
): Promise<void> {
  const options = { sessionId: world.sessionId, timeoutMs };
  const objectGroup = "nightjar-listeners";
  const objectIds = await Promise.all(
    nodes.map(async (backendNodeId) => {
      try {
        const { object } = await page.connection.command(
          "DOM.resolveNode",
          { backendNodeId, executionContextId: world.contextId, objectGroup },
          options,
        );
        return object.objectId ?? null;
      } catch {
        return null;
      }
    }),
  );
  const found = nodes
    .map((node, index) => ({ node, objectId: objectIds[index] ?? null }))
    .filter((one): one is { node: number; objectId: string } => one.objectId !== null);
  for (const node of nodes) known.keys.set(node, null);
  if (found.length === 0) return;
  const keys = await page.callOn<readonly (string | null)[]>(
    world,
    "perception",
    "keysOf",
    found.map(({ objectId }) => objectId),
    timeoutMs,
  );
  for (const [index, { node }] of found.entries()) known.keys.set(node, keys[index] ?? null);
  void page.connection
    .command("Runtime.releaseObjectGroup", { objectGroup }, options)
    .catch(() => {});
}
