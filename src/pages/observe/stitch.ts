import type {
  Box,
  WalkedElement,
  WalkedFrame,
  WalkedItem,
  WalkedScroller,
  WalkedText,
} from "../perception-protocol.ts";
import type { ElementIds } from "./element-ids.ts";
import type { WalkedTree } from "./frames.ts";
import type { PageItem, PageLayer } from "./observation.ts";
import { StitchedElement, type Surroundings } from "./stitched-element.ts";

export interface StitchedPage {
  /** In reading order, the content of iframes where they stand. */
  readonly items: readonly PageItem[];
  readonly layers: readonly PageLayer[];
  readonly isTruncated: boolean;
}

/** Puts the frames of a page together, in the coordinates of the tab, and gives every element its id. */
export function stitch(tree: WalkedTree, targetId: string, ids: ElementIds): StitchedPage {
  const items: PageItem[] = [];
  const layers: PageLayer[] = [];
  let isTruncated = false;

  const visit = ({ walk, children }: WalkedTree, around: Surroundings): void => {
    const { content, ways } = walk;
    isTruncated ||= content.truncated;
    const numbers = new Map<number, number>([[0, around.layer]]);
    for (const { number, role, name, modal } of content.layers) {
      layers.push({ number: layers.length + 1, role, name, isModal: modal });
      numbers.set(number, layers.length);
    }
    const made = walk.made.in(around);
    for (const [index, item] of content.items.entries()) {
      const way = content.itemWays[index] ?? -1;
      if (isWalkedElement(item)) {
        const [, key, , role, , , ownPlace, ownLayer] = item;
        const layer = numbers.get(ownLayer) ?? around.layer;
        let element = made.get(item);
        if (element === undefined || element.layer !== layer || element.way !== way) {
          const place = around.place === "viewport" ? ownPlace : around.place;
          const id = ids.idFor(content.documentId, key, role);
          const known = { id, targetId, ways, way, baseUrl: content.baseUrl };
          element = new StitchedElement(item, known, around, layer, place);
          made.set(item, element);
        }
        ids.remember(element);
        items.push({ kind: "element", element, place: element.place, layer });
        continue;
      }
      if (isWalkedText(item)) {
        const [, text, level, ownPlace, ownLayer] = item;
        const layer = numbers.get(ownLayer) ?? around.layer;
        const place = around.place === "viewport" ? ownPlace : around.place;
        items.push({ kind: "text", text, level, place, layer });
        continue;
      }
      const layer = numbers.get(item.layer) ?? around.layer;
      const place = around.place === "viewport" ? item.place : around.place;
      if (item.kind === "scroller") {
        items.push({ kind: "note", text: scrollNote(item), place, layer });
        continue;
      }
      const child = children.get(item.key);
      if (child !== undefined)
        visit(
          child,
          inside(item, ways.piercedCss(way, item.hosts ?? []), { ...around, layer, place }),
        );
    }
  };

  const { viewportWidth, viewportHeight } = tree.walk.content;
  visit(tree, {
    frameKeys: [],
    frameSelectors: [],
    offset: { x: 0, y: 0 },
    clip: { x: 0, y: 0, width: viewportWidth, height: viewportHeight },
    coveredBy: null,
    layer: 0,
    place: "viewport",
  });
  return { items, layers, isTruncated };
}

function isWalkedElement(item: WalkedItem): item is WalkedElement {
  return Array.isArray(item) && item[0] === "element";
}

function isWalkedText(item: WalkedItem): item is WalkedText {
  return Array.isArray(item) && item[0] === "text";
}

function inside(frame: WalkedFrame, selector: string, around: Surroundings): Surroundings {
  const offset = { x: around.offset.x + frame.box.x, y: around.offset.y + frame.box.y };
  const box = { ...offset, width: frame.box.width, height: frame.box.height };
  return {
    frameKeys: [...around.frameKeys, frame.key],
    frameSelectors: [...around.frameSelectors, selector],
    offset,
    clip: intersection(around.clip, box),
    coveredBy: around.coveredBy ?? frame.coveredBy ?? null,
    layer: around.layer,
    place: around.place,
  };
}

function intersection(a: Box, b: Box): Box {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(0, Math.min(a.x + a.width, b.x + b.width) - x),
    height: Math.max(0, Math.min(a.y + a.height, b.y + b.height) - y),
  };
}

function scrollNote(scroller: WalkedScroller): string {
  const name = scroller.name === "" ? "this box" : `"${scroller.name}"`;
  const parts = (["above", "below", "left", "right"] as const)
    .filter((side) => scroller[side] > 0)
    .map((side) => `${scroller[side]} px ${side}`);
  return `${name} scrolls: ${parts.join(", ")}`;
}
