import type {
  Box,
  Place,
  WalkedElement,
  WalkedFrame,
  WalkedFrameContent,
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
import { isOutside, placeOf, placeOfText, reachOf } from "./geometry.ts";
import { hintOf } from "./hints.ts";
import { Modals } from "./modals.ts";
import { descriptionOf } from "./names.ts";
import { elementByKey, keyOf } from "./registry.ts";
import { isEditingHost } from "./roles.ts";
import { isSecret } from "./secrets.ts";
import { WayFinder } from "./selectors.ts";
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
  readonly modals: Modals;
  /** What has the focus, in shadow roots too. */
  readonly focused: Element | null;
}

/** Everything of this frame that there is to operate and to read. */
export function walk(request: WalkRequest): WalkedFrameContent {
  const { items, layers, modals, elementCount, truncated } = new Walk(request).run();
  const page: Page = {
    ways: new WayFinder(),
    contexts: new ContextReader(),
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
  for (const item of items) {
    if (item === null) continue;
    if (isFoundElement(item)) {
      const isAlone = item.name !== "" && namesakes.get(`${item.role} ${item.name}`) === 1;
      described.push(describe(item, page, isAlone));
    } else if (isText(item)) described.push(describeText(item));
    else if (item.kind === "frame") described.push(describeFrame(item, page));
    else described.push(item);
  }
  const scrolling = document.scrollingElement ?? document.documentElement;
  return {
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
    elementCount,
    truncated,
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function describe(found: FoundElement, page: Page, isAlone: boolean): WalkedElement {
  const { element, attributes, role, name, box, layer, label } = found;
  const { ways, contexts, focused } = page;
  const where = whereabouts(element, found, label, page);
  const root = element.getRootNode();
  const described: Mutable<WalkedElement> = {
    kind: "element",
    key: keyOf(element),
    tag: element.localName,
    role,
    name,
    box,
    place: where.place,
    layer,
    way: ways.wayTo(element, root),
    attributes: attributesOf(element, attributes),
  };
  if (where.coveredBy !== null) described.coveredBy = where.coveredBy;
  if (where.clippedBy !== null) described.clippedBy = where.clippedBy;
  const description = attributes.length === 0 ? "" : descriptionOf(element, name, attributes);
  if (description !== "") described.description = description;
  if (name === "") {
    const hint = hintOf(element);
    if (hint !== "") described.hint = hint;
  }
  if (isAlone) described.alone = true;
  else {
    const context = contexts.contextOf(element, name);
    if (context !== "") described.context = context;
  }
  const isDisabled = found.isDisabled || where.isDead;
  const state = stateOf(element, role, attributes, { isDisabled, focused });
  if (state !== null) described.state = state;
  if (attributes.includes("draggable") && isDraggable(element)) described.draggable = true;
  if (holdsSomething(element, role)) {
    Object.assign(described, contentsOf(element, role, state?.disabled === true));
  }
  const hosts = hostsOf(root, ways);
  if (hosts.length > 0) described.hosts = hosts;
  return described;
}

function describeText(found: FoundText): WalkedText {
  const { text, level, layer } = found;
  const place = placeOfText(found);
  return level === null
    ? { kind: "text", text, place, layer }
    : { kind: "text", text, level, place, layer };
}

/** Links and buttons, which most things are, hold nothing. */
function holdsSomething(element: Element, role: string): boolean {
  return (
    (role !== "link" && role !== "button" && role !== "generic") || element.localName === "input"
  );
}

/** What a control holds, and what it takes. */
function contentsOf(element: Element, role: string, isDisabled: boolean): Partial<WalkedElement> {
  const value = shownValueOf(element, role);
  const choice = optionsOf(element);
  return {
    ...(element instanceof HTMLInputElement && { type: element.type }),
    ...(value !== null && { value }),
    ...(isSecret(element) && { secret: true as const }),
    ...(!isDisabled && isEditable(element, role) && { editable: true as const }),
    ...(takesSeveral(element) && { multiple: true as const }),
    ...maxLengthOf(element),
    ...(choice !== null && { options: choice.options }),
    ...(choice !== null && choice.count > choice.options.length && { optionCount: choice.count }),
  };
}

function describeFrame({ clip, ...frame }: FoundFrame, page: Page): WalkedFrame {
  const element = elementByKey(frame.key) ?? document.documentElement;
  const { place, coveredBy, clippedBy } = whereabouts(element, { ...frame, clip }, null, page);
  const root = element.getRootNode();
  const hosts = hostsOf(root, page.ways);
  return {
    ...frame,
    place,
    ...(coveredBy !== null && { coveredBy }),
    ...(clippedBy !== null && { clippedBy }),
    way: page.ways.wayTo(element, root),
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

function maxLengthOf(element: Element): { readonly maxLength?: number } {
  if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) return {};
  return element.maxLength >= 0 ? { maxLength: element.maxLength } : {};
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
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    if (!toldAttributes.has(name)) continue;
    const value = element.getAttribute(name) ?? "";
    // What is written into an address tells nothing of where it leads.
    if (value !== "" && !value.startsWith("data:")) found[name] = value.slice(0, longestAttribute);
  }
  return found;
}

function focusedElement(): Element | null {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement != null) focused = focused.shadowRoot.activeElement;
  return focused === document.body ? null : focused;
}
