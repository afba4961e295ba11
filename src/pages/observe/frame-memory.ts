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

/** More than any walk finds: what is answered beyond it comes from no script of ours. */
const mostItems = 20_000;

/** A walk of a document. */
export interface KnownWalk {
  /** Its number among those of the document. */
  readonly number: number;
  readonly content: WalkedFrameContent;
  readonly ways: Ways;
  readonly made: MadeElements;
}

/** What was made of the elements that a frame told of, as long as it is right. */
export class MadeElements {
  #around: Surroundings | null = null;
  #elements = new WeakMap<WalkedElement, StitchedElement>();

  /** Those that were made where the frame stood as it stands now. */
  in(around: Surroundings): WeakMap<WalkedElement, StitchedElement> {
    if (!isDeepStrictEqual(around, this.#around)) {
      this.#around = around;
      this.#elements = new WeakMap();
    }
    return this.#elements;
  }
}

/** What is remembered of one document, so that the next look need neither be told nor make it again. */
export class FrameMemory {
  #last: KnownWalk | null = null;

  /** The last walk that was taken; the next may be told as what is different from it. */
  get last(): KnownWalk | null {
    return this.#last;
  }

  /**
   * Takes the answer of a walk that was asked for as what is different from `before`; what is as it
   * was then is the same object. Throws when the answer does not follow from that.
   */
  take(answer: WalkAnswer, before: KnownWalk | null): KnownWalk {
    const { number, items, ways, itemWays, ...rest } = answer;
    const earlier = before?.content;
    const content = {
      ...rest,
      items: wholeItems(items, earlier?.items ?? []),
      ways: ways ?? earlier?.ways ?? [],
      itemWays: itemWays ?? earlier?.itemWays ?? [],
    };
    const hasWays = before !== null && content.ways === before.content.ways;
    const isMade = hasWays && content.baseUrl === before.content.baseUrl;
    this.#last = {
      number,
      content,
      ways: hasWays ? before.ways : new Ways(content.ways),
      made: isMade ? before.made : new MadeElements(),
    };
    return this.#last;
  }
}

/** What is remembered of the documents of the tab that was looked at last. */
export class FrameMemories {
  readonly #memories = new Map<string, FrameMemory>();

  /** The memory of the document that a frame shows now. */
  of({ documentId }: FrameWorld): FrameMemory {
    const memory = this.#memories.get(documentId) ?? new FrameMemory();
    this.#memories.set(documentId, memory);
    return memory;
  }

  /** Forgets all other documents: those of other tabs are told in full again. */
  keepOnly(worlds: readonly FrameWorld[]): void {
    const kept = new Set(worlds.map(({ documentId }) => documentId));
    for (const documentId of this.#memories.keys()) {
      if (!kept.has(documentId)) this.#memories.delete(documentId);
    }
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
    const same = before.slice(from, from + count);
    if (same.length !== count || items.length + count > mostItems) {
      throw new Error("its answer does not follow from the one before");
    }
    items.push(...same);
  }
  return items;
}
