import type { ContentImage, CopiedNode, FrameCopy, FrameCopyRequest } from "../content-protocol.ts";
import type { DrivenPage } from "../driver/driven-page.ts";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import { FrameOwners } from "../observe/frame-owners.ts";

/** What iframes hold is read within these bounds; what is beyond them is left out. */
const mostFrames = 20;
/** How many iframes deep, within each other. */
const mostLevels = 3;
const mostNodes = 20_000;
const mostCharacters = 500_000;
/** Of all iframes together. */
const mostNodesInAll = 60_000;
/** A frame that does not answer must not hold up the page, in ms; nor may all together. */
const frameTimeoutMs = 1500;
const longestMs = 4000;

/** What the iframes of a page hold. */
export interface FrameContents {
  /** By the keys of their elements in the main frame; what is in iframes within them is in its place. */
  readonly frames: Readonly<Record<string, readonly CopiedNode[]>>;
  readonly images: readonly ContentImage[];
  /** Something was too large to be taken whole. */
  readonly isCut: boolean;
}

const nothing: FrameContents = { frames: {}, images: [], isCut: false };

/**
 * Copies what a person sees in the iframes of a page, or of the part of it with this key. A frame
 * that does not answer in time, or goes away meanwhile, is left out; throws for the main frame alone.
 */
export async function readFrames(
  page: DrivenPage,
  main: FrameWorld,
  part: { readonly rootKey: string | null; readonly ignoredTags: readonly string[] },
): Promise<FrameContents> {
  const worlds = page.frames();
  if (worlds.length < 2) return nothing;
  await installKeys(page, main, longestMs);
  const keys = await page.call<readonly string[]>(main, "content", "shownFrames", [part.rootKey]);
  const reading = new FrameReading(page, worlds, part.ignoredTags);
  const contents = await reading.contentsOf(main, keys, 1);
  return {
    frames: Object.fromEntries(contents),
    images: reading.images,
    isCut: reading.isCut,
  };
}

/** The reading of one page's frames, which share its bounds. */
class FrameReading {
  readonly images: ContentImage[] = [];
  isCut = false;
  readonly #page: DrivenPage;
  readonly #worlds: readonly FrameWorld[];
  readonly #request: FrameCopyRequest;
  readonly #owners = new FrameOwners();
  readonly #deadline = Date.now() + longestMs;
  #framesLeft = mostFrames;
  #nodesLeft = mostNodesInAll;

  constructor(
    page: DrivenPage,
    worlds: readonly FrameWorld[],
    ignoredTags: FrameCopyRequest["ignoredTags"],
  ) {
    this.#page = page;
    this.#worlds = worlds;
    this.#request = { ignoredTags, maxNodes: mostNodes, maxCharacters: mostCharacters };
  }

  /** What those of a frame's iframes hold that have these keys, by key. */
  async contentsOf(
    parent: FrameWorld,
    keys: readonly string[],
    level: number,
  ): Promise<ReadonlyMap<string, readonly CopiedNode[]>> {
    const contents = new Map<string, readonly CopiedNode[]>();
    if (keys.length === 0 || level > mostLevels) return contents;
    const children = await this.#childrenOf(parent);
    const chosen = keys.filter((key) => children.has(key)).slice(0, this.#framesLeft);
    this.#framesLeft -= chosen.length;
    await Promise.all(
      chosen.map(async (key) => {
        const child = children.get(key);
        const nodes = child === undefined ? null : await this.#nodesOf(child, level);
        if (nodes !== null) contents.set(key, nodes);
      }),
    );
    return contents;
  }

  async #childrenOf(parent: FrameWorld): Promise<ReadonlyMap<string, FrameWorld>> {
    const children = new Map<string, FrameWorld>();
    await Promise.all(
      this.#worlds
        .filter(({ parentFrameId }) => parentFrameId === parent.frameId)
        .map(async (world) => {
          const key = await this.#owners.keyOf(this.#page, parent, world);
          if (key !== null) children.set(key, world);
        }),
    );
    return children;
  }

  /** Null for a frame that holds nothing to read, or does not say. */
  async #nodesOf(world: FrameWorld, level: number): Promise<readonly CopiedNode[] | null> {
    const copy = await this.#copyOf(world).catch(() => null);
    if (copy === null) return null;
    if (copy.nodes.length > this.#nodesLeft) {
      this.isCut = true;
      return null;
    }
    this.#nodesLeft -= copy.nodes.length;
    this.isCut ||= copy.isCut;
    this.images.push(...copy.images);
    const keys = copy.nodes.flatMap((node) => (node[0] === "frame" ? [node[1]] : []));
    const inner = await this.contentsOf(world, keys, level + 1);
    const nodes = copy.nodes.flatMap((node) =>
      node[0] === "frame" ? (inner.get(node[1]) ?? []) : [node],
    );
    return nodes.some(isToRead) ? nodes : null;
  }

  async #copyOf(world: FrameWorld): Promise<FrameCopy | null> {
    const until = Math.min(Date.now() + frameTimeoutMs, this.#deadline);
    const holdsFrames = this.#worlds.some(({ parentFrameId }) => parentFrameId === world.frameId);
    if (until <= Date.now()) return null;
    if (holdsFrames) await installKeys(this.#page, world, until - Date.now());
    if (until <= Date.now()) return null;
    return this.#page.call<FrameCopy>(
      world,
      "content",
      "frameCopy",
      [this.#request],
      until - Date.now(),
    );
  }
}

function isToRead(node: CopiedNode): boolean {
  return node[0] === "text" ? node[1].trim() !== "" : node[0] === "open" && node[1] === "img";
}

/** Elements have keys once the perception script is there; any call of it brings it. */
async function installKeys(page: DrivenPage, world: FrameWorld, timeoutMs: number): Promise<void> {
  await page.call(world, "perception", "scrollPosition", [], timeoutMs);
}
