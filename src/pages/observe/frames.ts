import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import type { ListeningElements, WalkAnswer, WalkRequest } from "../perception-protocol.ts";
import type { FrameMemories, KnownWalk } from "./frame-memory.ts";
import type { FrameOwners } from "./frame-owners.ts";
import type { Listeners } from "./listeners.ts";

/** A frame that does not answer must not hold up the others, in ms. */
const mainFrameTimeoutMs = 20_000;
const childFrameTimeoutMs = 1500;

const limits: Omit<WalkRequest, "listeners" | "since"> = { maxElements: 4000, maxTexts: 4000 };

/** What a frame holds, and where it stands in its parent. */
export interface WalkedTree {
  readonly world: FrameWorld;
  readonly walk: KnownWalk;
  /** Its child frames, by the key of their iframe element in this frame. */
  readonly children: ReadonlyMap<string, WalkedTree>;
}

export interface WalkedPage {
  readonly tree: WalkedTree;
  /** URLs or origins of the frames that did not answer. */
  readonly silent: readonly string[];
}

/** What a session's earlier looks at frames found out. */
export interface KnownFrames {
  readonly owners: FrameOwners;
  readonly listeners: Listeners;
  readonly memories: FrameMemories;
}

/**
 * Walks all frames of a page at once, few round trips each. Throws `FrameGoneError` when the main
 * frame navigates meanwhile; a child that does is left out.
 */
export async function walkFrames(page: DrivenPage, known: KnownFrames): Promise<WalkedPage> {
  const worlds = page.frames();
  const [main] = worlds;
  if (main === undefined) throw new FrameGoneError();
  const silent: string[] = [];
  const walks = new Map<string, KnownWalk>();
  const { owners, memories } = known;
  await Promise.all(
    worlds.map(async (world) => {
      try {
        walks.set(world.frameId, await walkFrame(page, world, known, world === main));
      } catch (error) {
        if (world === main) throw error;
        if (!(error instanceof FrameGoneError)) silent.push(world.origin);
      }
    }),
  );
  memories.keepOnly(worlds);
  const byId = new Map(worlds.map((world) => [world.frameId, world]));
  const places = new Map<string, Map<string, FrameWorld>>();
  await Promise.all(
    worlds.map(async (world) => {
      const parent = byId.get(world.parentFrameId ?? "");
      if (parent === undefined || !walks.has(world.frameId) || !walks.has(parent.frameId)) return;
      const key = await owners.keyOf(page, parent, world);
      if (key === null) return;
      const siblings = places.get(parent.frameId) ?? new Map<string, FrameWorld>();
      siblings.set(key, world);
      places.set(parent.frameId, siblings);
    }),
  );
  const treeOf = (world: FrameWorld): WalkedTree | null => {
    const walk = walks.get(world.frameId);
    if (walk === undefined) return null;
    const children = new Map<string, WalkedTree>();
    for (const [key, child] of places.get(world.frameId) ?? []) {
      const tree = treeOf(child);
      if (tree !== null) children.set(key, tree);
    }
    return { world, walk, children };
  };
  const tree = treeOf(main);
  if (tree === null) throw new FrameGoneError();
  return { tree, silent };
}

async function walkFrame(
  page: DrivenPage,
  world: FrameWorld,
  { listeners, memories }: KnownFrames,
  isMain: boolean,
): Promise<KnownWalk> {
  const memory = memories.of(world);
  const timeoutMs = isMain ? mainFrameTimeoutMs : childFrameTimeoutMs;
  const walk = async (listening: ListeningElements | null): Promise<KnownWalk> => {
    const { last } = memory;
    const request: WalkRequest = { ...limits, listeners: listening, since: last?.number ?? null };
    const answer = await page.call<WalkAnswer>(world, "perception", "walk", [request], timeoutMs);
    return memory.take(answer, last);
  };
  const expected = listeners.expected(world);
  const found = listeners.of(page, world);
  if (expected !== null) {
    // Where they do not change, their way to the server and back need not be waited for.
    const [walked, listening] = await Promise.all([walk(expected), found]);
    // A page that is too busy to tell is not walked once more for it.
    if (listening === null || listening === expected) return walked;
  }
  return walk(await found);
}
