import type { ElementSelectors } from "../elements.ts";
import type {
  Box,
  ChoiceOption,
  ElementState,
  Place,
  WalkedElement,
} from "../perception-protocol.ts";
import type { PageElement } from "./observation.ts";
import { selectorsOf, type Ways } from "./selectors.ts";

/** What a frame inherits from those around it. */
export interface Surroundings {
  readonly frameKeys: readonly string[];
  readonly frameSelectors: readonly string[];
  readonly offset: { readonly x: number; readonly y: number };
  /** The part of the tab's viewport in which the frame is drawn. */
  readonly clip: Box;
  readonly coveredBy: string | null;
  readonly layer: number;
  /** Where the frame itself is, for all that is in it. */
  readonly place: Place;
}

/** What the server knows of an element beside what its frame tells. */
export interface ElementPlace {
  readonly id: string;
  readonly targetId: string;
  /** The ways of its frame. */
  readonly ways: Ways;
  /** What links of its frame are relative to. */
  readonly baseUrl: string;
}

const noState: ElementState = {};
const noOptions: readonly ChoiceOption[] = [];

/** An element of a frame in the coordinates of the tab. Most are never answered, so what takes time to write is written when it is read. */
export class StitchedElement implements PageElement {
  readonly id: string;
  readonly targetId: string;
  readonly frameKeys: readonly string[];
  readonly key: string;
  readonly role: string;
  readonly name: string;
  readonly tag: string;
  readonly description: string | null;
  readonly state: ElementState;
  readonly inputType: string | null;
  readonly value: string | null;
  readonly isSecret: boolean;
  readonly isEditable: boolean;
  readonly isDraggable: boolean;
  readonly takesSeveral: boolean;
  readonly placeholder: string | null;
  readonly options: readonly ChoiceOption[];
  readonly optionCount: number;
  readonly box: Box;
  readonly frameOffset: { readonly x: number; readonly y: number };
  readonly place: Place;
  readonly coveredBy: string | null;
  readonly clippedBy: string | null;
  readonly hint: string | null;
  readonly context: string | null;
  readonly layer: number;
  readonly attributes: Readonly<Partial<Record<string, string>>>;
  readonly #walked: WalkedElement;
  readonly #known: ElementPlace;
  readonly #frameSelectors: readonly string[];

  /** `layer` and `place`: its own, as far as the frames around it are concerned. */
  constructor(
    walked: WalkedElement,
    known: ElementPlace,
    around: Surroundings,
    layer: number,
    place: Place,
  ) {
    const { x, y, width, height } = walked.box;
    this.#walked = walked;
    this.#known = known;
    this.#frameSelectors = around.frameSelectors;
    this.id = known.id;
    this.targetId = known.targetId;
    this.frameKeys = around.frameKeys;
    this.key = walked.key;
    this.role = walked.role;
    this.name = walked.name;
    this.tag = walked.tag;
    this.description = walked.description ?? null;
    this.state = walked.state ?? noState;
    this.inputType = walked.type ?? null;
    this.value = walked.value ?? null;
    this.isSecret = walked.secret === true;
    this.isEditable = walked.editable === true;
    this.isDraggable = walked.draggable === true;
    this.takesSeveral = walked.multiple === true;
    this.placeholder = walked.attributes["placeholder"] ?? null;
    this.options = walked.options ?? noOptions;
    this.optionCount = walked.optionCount ?? this.options.length;
    this.box = { x: x + around.offset.x, y: y + around.offset.y, width, height };
    this.frameOffset = around.offset;
    this.place = placeOf(place, this.box, around);
    this.coveredBy = walked.coveredBy ?? around.coveredBy;
    this.clippedBy = walked.clippedBy ?? null;
    this.hint = walked.hint ?? null;
    this.context = walked.context ?? null;
    this.layer = layer;
    this.attributes = walked.attributes;
  }

  get selectors(): ElementSelectors {
    const { role, name, way, hosts = [], alone: isAlone = false } = this.#walked;
    const { ways } = this.#known;
    const frames = this.#frameSelectors;
    return selectorsOf({ role, name, ways, way, hosts, frames, isAlone });
  }

  get href(): string | null {
    const { href } = this.attributes;
    return href === undefined ? null : (URL.parse(href, this.#known.baseUrl)?.href ?? href);
  }

  get limits(): PageElement["limits"] {
    const { maxLength } = this.#walked;
    const { min, max, step, pattern, accept } = this.attributes;
    return {
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
      ...(step !== undefined && { step }),
      ...(pattern !== undefined && { pattern }),
      ...(maxLength !== undefined && { maxLength }),
      ...(accept !== undefined && { accept }),
    };
  }
}

function placeOf(own: Place, box: Box, around: Surroundings): Place {
  if (own !== "viewport" || around.frameKeys.length === 0) return own;
  return placeIn(around.clip, box);
}

/** Where a box is, seen through the window that its frame leaves of it. */
function placeIn(clip: Box, box: Box): Place {
  if (box.y >= clip.y + clip.height) return "below";
  if (box.y + box.height <= clip.y) return "above";
  if (box.x >= clip.x + clip.width) return "right";
  if (box.x + box.width <= clip.x) return "left";
  return "viewport";
}
