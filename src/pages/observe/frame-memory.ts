import { isDeepStrictEqual } from "node:util";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import type {
  WalkAnswer,
  WalkedElement,
  WalkedFrameContent,
  WalkedItem,
} from "../perception-protocol.ts";
import { Ways } from "./selectors.ts";
import type { StitchedElement, Surroundings } from "./stitched-element.ts";

/** So many documents of a session are remembered; what is forgotten is told again in full. */
const mostDocuments = 50;

/** A walk of a document, and its number among those. */
export interface KnownWalk {
  readonly number: number;
  readonly content: WalkedFrameContent;
}

/** Elements that were put together from what a frame told of them. */
export type StitchedElements = WeakMap<WalkedElement, StitchedElement>;

/** What is remembered of one document, so that the next look need neither be told nor make it again. */
export class FrameMemory {
  #last: KnownWalk | null = null;
  #ways = new Ways([]);
  #elements: StitchedElements = new WeakMap();
  #around: Surroundings | null = null;

  /** The last walk that was taken; the next may be told as what is different from it. */
  get last(): KnownWalk | null {
    return this.#last;
  }

  /** The ways of the last walk. */
  get ways(): Ways {
    return this.#ways;
  }

  /**
   * Takes the answer of a walk that was asked for as what is different from `before`; what is as it
   * was then is the same object. Throws when the answer does not follow from that.
   */
  take(answer: WalkAnswer, before: KnownWalk | null): WalkedFrameContent {
    const { number, items, ways, itemWays, ...rest } = answer;
    const earlier = before?.content;
    const content = {
      ...rest,
      items: wholeItems(items, earlier?.items ?? []),
      ways: ways ?? earlier?.ways ?? [],
      itemWays: itemWays ?? earlier?.itemWays ?? [],
    };
    if (this.#last === null || content.ways !== this.#last.content.ways) {
      this.#ways = new Ways(content.ways);
      this.#elements = new WeakMap();
    }
    if (content.baseUrl !== this.#last?.content.baseUrl) this.#elements = new WeakMap();
    this.#last = { number, content };
    return content;
  }

  /** The elements that were put together in earlier looks, and are right where the frame stands so. */
  elementsIn(around: Surroundings): StitchedElements {
    if (!isDeepStrictEqual(around, this.#around)) {
      this.#around = around;
      this.#elements = new WeakMap();
    }
    return this.#elements;
  }
}

/** What is remembered of the documents of a session. */
export class FrameMemories {
  readonly #memories = new Map<string, FrameMemory>();

  /** The memory of the document that a frame shows now. */
  of({ documentId }: FrameWorld): FrameMemory {
    const memory = this.#memories.get(documentId) ?? new FrameMemory();
    this.#memories.delete(documentId);
    this.#memories.set(documentId, memory);
    if (this.#memories.size > mostDocuments) {
      const [oldest] = this.#memories.keys();
      if (oldest !== undefined) this.#memories.delete(oldest);
    }
    return memory;
  }
}

function wholeItems(
  told: WalkAnswer["items"],
  before: readonly WalkedItem[],
): readonly WalkedItem[] {
  const items: WalkedItem[] = [];
  for (const item of told) {
    if (!Array.isArray(item) || item[0] !== "same") {
      items.push(item as WalkedItem);
      continue;
    }
    const [, from, count] = item;
    for (let index = from; index < from + count; index += 1) {
      const same = before[index];
      if (same === undefined) throw new Error("the page tells of what it never told");
      items.push(same);
    }
  }
  return items;
}
