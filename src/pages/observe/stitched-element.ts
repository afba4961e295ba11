import type { ElementSelectors } from "../elements.ts";
import type {
  Box,
  ChoiceOption,
  ElementDetails,
  ElementState,
  Place,
  WalkedElement,
  WalkedOption,
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
  /** The ways of its frame, and the number of its own. */
  readonly ways: Ways;
  readonly way: number;
  /** What links of its frame are relative to. */
  readonly baseUrl: string;
}

const noState: ElementState = {};
const noOptions: readonly ChoiceOption[] = [];
const noAttributes: PageElement["attributes"] = {};

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
  readonly #details: ElementDetails;
  readonly #known: ElementPlace;
  readonly #frameSelectors: readonly string[];
  #selectors: ElementSelectors | null = null;

  /** `layer` and `place`: its own, as far as the frames around it are concerned. */
  constructor(
    walked: WalkedElement,
    known: ElementPlace,
    around: Surroundings,
    layer: number,
    place: Place,
  ) {
    const [, key, tag, role, name, [x, y, width, height], , , details] = walked;
    this.#details = details;
    this.#known = known;
    this.#frameSelectors = around.frameSelectors;
    this.id = known.id;
    this.targetId = known.targetId;
    this.frameKeys = around.frameKeys;
    this.key = key;
    this.role = role;
    this.name = name;
    this.tag = tag;
    this.attributes = details.attributes ?? noAttributes;
    this.description = details.description ?? null;
    this.state = details.state ?? noState;
    this.inputType = details.type ?? null;
    this.value = details.value ?? null;
    this.isSecret = details.secret === true;
    this.isEditable = details.editable === true;
    this.isDraggable = details.draggable === true;
    this.takesSeveral = details.multiple === true;
    this.placeholder = this.attributes["placeholder"] ?? null;
    this.options = details.options?.map(optionOf) ?? noOptions;
    this.optionCount = details.optionCount ?? this.options.length;
    this.box = { x: x + around.offset.x, y: y + around.offset.y, width, height };
    this.frameOffset = around.offset;
    this.place = placeOf(place, this.box, around);
    this.coveredBy = details.coveredBy ?? around.coveredBy;
    this.clippedBy = details.clippedBy ?? null;
    this.hint = details.hint ?? null;
    this.context = details.context ?? null;
    this.layer = layer;
  }

  /** The number of its way in its frame. */
  get way(): number {
    return this.#known.way;
  }

  get selectors(): ElementSelectors {
    const { hosts = [], namesake } = this.#details;
    this.#selectors ??= selectorsOf({
      role: this.role,
      name: this.name,
      ways: this.#known.ways,
      way: this.way,
      hosts,
      frames: this.#frameSelectors,
      isAlone: namesake !== true,
    });
    return this.#selectors;
  }

  get href(): string | null {
    const { href } = this.attributes;
    return href === undefined ? null : (URL.parse(href, this.#known.baseUrl)?.href ?? href);
  }

  get limits(): PageElement["limits"] {
    const { maxLength } = this.#details;
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

function optionOf([text, value, selected, disabled]: WalkedOption): ChoiceOption {
  return { text, value, selected, disabled };
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
