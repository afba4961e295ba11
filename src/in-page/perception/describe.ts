import type {
  Box,
  ElementDetails,
  Place,
  WalkAnswer,
  WalkedElement,
  WalkedFrame,
  WalkedItem,
  WalkedText,
  WalkRequest,
} from "../../pages/perception-protocol.ts";
import { isDraggable } from "./candidates.ts";
import { ContextReader } from "./context.ts";
import {
  type Clip,
  type FoundElement,
  type FoundFrame,
  type FoundText,
  isFoundElement,
  isText,
} from "./found.ts";
import { isOutside, placeOf, reachOf, TextPlaces } from "./geometry.ts";
import { hintOf } from "./hints.ts";
import { Modals } from "./modals.ts";
import { descriptionOf } from "./names.ts";
import { elementByKey, keyOf } from "./registry.ts";
import { isEditingHost } from "./roles.ts";
import { isSecret } from "./secrets.ts";
import { WayFinder } from "./selectors.ts";
import { sinceThen } from "./since.ts";
import { optionsOf, shownValueOf, stateOf } from "./state.ts";
import { flatContains } from "./tree.ts";
import { Walk } from "./walk.ts";

/** Attributes that tell a reader something; values come separately, since they may be secret. */
const toldAttributes: ReadonlySet<string> = new Set(
  "accept alt aria-expanded aria-label autocomplete href id max min name pattern placeholder role src step tabindex title type".split(
    " ",
  ),
);
const longestAttribute = 300;
/** What is so small is not there to be pressed, in CSS pixels. */
const tiny = 2;

/** Pages without https have no `crypto.randomUUID`. */
const documentId = [...crypto.getRandomValues(new Uint32Array(4))].join("-");

/** Inputs that take no typed text. */
const pressedInputs = /^(?:button|checkbox|color|file|image|radio|range|reset|submit)$/;

/** What is the same for all that is described of a page. */
interface Page {
  readonly ways: WayFinder;
  readonly contexts: ContextReader;
  readonly texts: TextPlaces;
  readonly modals: Modals;
  /** What has the focus, in shadow roots too. */
  readonly focused: Element | null;
}

/** Everything of this frame that there is to operate and to read. */
export function walk(request: WalkRequest): WalkAnswer {
  const { items, layers, modals, elementCount, truncated } = new Walk(request).run();
  const page: Page = {
    ways: new WayFinder(),
    contexts: new ContextReader(),
    texts: new TextPlaces(),
    modals: new Modals(modals),
    focused: focusedElement(),
  };
  const namesakes = new Map<string, number>();
  for (const item of items) {
    if (!isFoundElement(item)) continue;
    const call = `${item.role} ${item.name}`;
    namesakes.set(call, (namesakes.get(call) ?? 0) + 1);
  }
  const described: WalkedItem[] = [];
  const itemWays: number[] = [];
  for (const item of items) {
    if (item === null) continue;
    let way = -1;
    if (isFoundElement(item)) {
      const { element } = item;
      const root = element.getRootNode();
      const isAlone = item.name !== "" && namesakes.get(`${item.role} ${item.name}`) === 1;
      described.push(describe(item, page, root, isAlone));
      way = page.ways.wayTo(element, root);
    } else if (isText(item)) described.push(describeText(item, page));
    else if (item.kind === "frame") {
      const element = elementByKey(item.key) ?? document.documentElement;
      const root = element.getRootNode();
      described.push(describeFrame(item, page, element, root));
      way = page.ways.wayTo(element, root);
    } else described.push(item);
    itemWays.push(way);
  }
  const scrolling = document.scrollingElement ?? document.documentElement;
  const content = {
    documentId,
    url: location.href,
    baseUrl: document.baseURI,
    title: document.title,
    language: document.documentElement?.lang ?? "",
    scrollX: Math.round(scrollX),
    scrollY: Math.round(scrollY),
    viewportWidth: innerWidth,
    viewportHeight: innerHeight,
    totalWidth: scrolling?.scrollWidth ?? innerWidth,
    totalHeight: scrolling?.scrollHeight ?? innerHeight,
    items: described,
    layers,
    ways: page.ways.ways,
    itemWays,
    elementCount,
    truncated,
  };
  return sinceThen(content, request.since);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function describe(found: FoundElement, page: Page, root: Node, isAlone: boolean): WalkedElement {
  const { element, attributes, role, name, box, layer, label } = found;
  const { ways, contexts, focused } = page;
  const { place, coveredBy, clippedBy, isDead } = whereabouts(element, found, label, page);
  const details: Mutable<ElementDetails> = {};
  if (coveredBy !== null) details.coveredBy = coveredBy;
  if (clippedBy !== null) details.clippedBy = clippedBy;
  if (attributes.length > 0) {
    const description = descriptionOf(element, name, attributes);
    if (description !== "") details.description = description;
    const told = attributesOf(element, attributes);
    if (told !== null) details.attributes = told;
    if (attributes.includes("draggable") && isDraggable(element)) details.draggable = true;
  }
  if (name === "") {
    const hint = hintOf(element);
    if (hint !== "") details.hint = hint;
  }
  if (!isAlone) {
    details.namesake = true;
    const context = contexts.contextOf(element, name);
    if (context !== "") details.context = context;
  }
  const isDisabled = found.isDisabled || isDead;
  const state = stateOf(element, role, attributes, { isDisabled, focused });
  if (state !== null) details.state = state;
  if (holdsSomething(element, role)) {
    describeContents(element, role, state?.disabled === true, details);
  }
  const hosts = hostsOf(root, ways);
  if (hosts.length > 0) details.hosts = hosts;
  return [
    "element",
    keyOf(element),
    element.localName,
    role,
    name,
    [box.x, box.y, box.width, box.height],
    place,
    layer,
    details,
  ];
}

function describeText(found: FoundText, { texts }: Page): WalkedText {
  return ["text", found.text, found.level, texts.placeOf(found), found.layer];
}

/** Links and buttons, which most things are, hold nothing. */
function holdsSomething(element: Element, role: string): boolean {
  return (
    (role !== "link" && role !== "button" && role !== "generic") || element.localName === "input"
  );
}

/** Adds what a control holds, and what it takes. */
function describeContents(
  element: Element,
  role: string,
  isDisabled: boolean,
  details: Mutable<ElementDetails>,
): void {
  const isMasked = isSecret(element);
  const value = shownValueOf(element, role, isMasked);
  if (value !== null) details.value = value;
  if (isMasked) details.secret = true;
  if (element instanceof HTMLInputElement) details.type = element.type;
  if (!isDisabled && isEditable(element, role)) details.editable = true;
  if (takesSeveral(element)) details.multiple = true;
  const maxLength = maxLengthOf(element);
  if (maxLength !== null) details.maxLength = maxLength;
  const choice = optionsOf(element);
  if (choice === null) return;
  details.options = choice.options;
  if (choice.count > choice.options.length) details.optionCount = choice.count;
}

function describeFrame(
  { clip, ...frame }: FoundFrame,
  page: Page,
  element: Element,
  root: Node,
): WalkedFrame {
  const { place, coveredBy, clippedBy } = whereabouts(element, { ...frame, clip }, null, page);
  const hosts = hostsOf(root, page.ways);
  return {
    ...frame,
    place,
    ...(coveredBy !== null && { coveredBy }),
    ...(clippedBy !== null && { clippedBy }),
    ...(hosts.length > 0 && { hosts }),
  };
}

interface Whereabouts {
  readonly place: Place;
  readonly coveredBy: string | null;
  readonly clippedBy: string | null;
  /** It takes no presses. */
  readonly isDead: boolean;
}

/** Where a thing is, and what keeps a press from it. */
function whereabouts(
  element: Element,
  { box, clip, layer }: { readonly box: Box; readonly clip: Clip | null; readonly layer: number },
  label: Element | null,
  { modals, contexts }: Page,
): Whereabouts {
  const place = placeOf(box);
  const modal = modals.blocking(element, place, layer);
  if (modal !== null) return coveredBy(contexts.describeObstacle(modal), place);
  const isCut = clip !== null && isOutside(box, clip.box);
  // Links to what is further down, e.g., that show only when the keys reach them.
  if (box.width <= tiny && box.height <= tiny) return simplyAt(place);
  if (place !== "viewport") {
    return isCut ? clippedBy(contexts.describeObstacle(clip.element)) : simplyAt(place);
  }
  const { obstacle, clipper } = reachOf(element, box, label);
  if (clipper !== null) return clippedBy(contexts.describeObstacle(clipper));
  if (obstacle === null) return simplyAt(place);
  if (isCut) return clippedBy(contexts.describeObstacle(clip.element));
  if (getComputedStyle(element).pointerEvents === "none") {
    return { place, coveredBy: null, clippedBy: null, isDead: true };
  }
  // A press beside it, on what it stands in, is no cover.
  if (flatContains(obstacle, element)) return simplyAt(place);
  return coveredBy(contexts.describeObstacle(obstacle), place);
}

function simplyAt(place: Place): Whereabouts {
  return { place, coveredBy: null, clippedBy: null, isDead: false };
}

function coveredBy(words: string, place: Place): Whereabouts {
  return { place, coveredBy: words, clippedBy: null, isDead: false };
}

function clippedBy(words: string): Whereabouts {
  return { place: "clipped", coveredBy: null, clippedBy: words, isDead: false };
}

function isEditable(element: Element, role: string): boolean {
  if (element instanceof HTMLInputElement)
    return !pressedInputs.test(element.type) && !element.readOnly;
  if (element instanceof HTMLTextAreaElement) return !element.readOnly;
  if (element instanceof HTMLElement && isEditingHost(element)) return true;
  if (element.getAttribute("aria-readonly") === "true") return false;
  return role === "textbox" || role === "searchbox";
}

function takesSeveral(element: Element): boolean {
  return (
    (element instanceof HTMLSelectElement || element instanceof HTMLInputElement) &&
    element.multiple
  );
}

function maxLengthOf(element: Element): number | null {
  if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) return null;
  return element.maxLength >= 0 ? element.maxLength : null;
}

const noHosts: readonly number[] = [];

/** The ways to the hosts of a shadow root and those around it, outermost first. */
function hostsOf(root: Node, ways: WayFinder): readonly number[] {
  if (!(root instanceof ShadowRoot)) return noHosts;
  const hosts: number[] = [];
  for (let at: Node = root; at instanceof ShadowRoot; ) {
    const around = at.host.getRootNode();
    hosts.unshift(ways.wayTo(at.host, around));
    at = around;
  }
  return hosts;
}

function attributesOf(
  element: Element,
  names: readonly string[],
): Readonly<Record<string, string>> | null {
  let found: Record<string, string> | null = null;
  for (const name of names) {
    if (!toldAttributes.has(name)) continue;
    const value = element.getAttribute(name) ?? "";
    // What is written into an address tells nothing of where it leads.
    if (value === "" || value.startsWith("data:")) continue;
    found ??= {};
    found[name] = value.slice(0, longestAttribute);
  }
  return found;
}

function focusedElement(): Element | null {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement != null) focused = focused.shadowRoot.activeElement;
  return focused === document.body ? null : focused;
}
