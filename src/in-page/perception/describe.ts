import type {
  Box,
  ElementPath,
  Place,
  WalkedElement,
  WalkedFrame,
  WalkedFrameContent,
  WalkedItem,
  WalkRequest,
} from "../../pages/perception-protocol.ts";
import { isDraggable } from "./candidates.ts";
import { ContextReader, describeObstacle } from "./context.ts";
import { type Clip, type FoundElement, type FoundFrame, isFoundElement } from "./found.ts";
import { isOutside, placeOf, reachOf } from "./geometry.ts";
import { hintOf } from "./hints.ts";
import { Modals } from "./modals.ts";
import { descriptionOf } from "./names.ts";
import { elementByKey, keyOf } from "./registry.ts";
import { isEditingHost } from "./roles.ts";
import { isSecret } from "./secrets.ts";
import { PathWriter } from "./selectors.ts";
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
  readonly paths: PathWriter;
  readonly contexts: ContextReader;
  readonly modals: Modals;
  /** What has the focus, in shadow roots too. */
  readonly focused: Element | null;
}

/** Everything of this frame that there is to operate and to read. */
export function walk(request: WalkRequest): WalkedFrameContent {
  const { items, layers, modals, elementCount, truncated } = new Walk(request).run();
  const page: Page = {
    paths: new PathWriter(),
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
    } else if (item.kind === "frame") described.push(describeFrame(item, page));
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
    elementCount,
    truncated,
  };
}

function describe(found: FoundElement, page: Page, isAlone: boolean): WalkedElement {
  const { element, attributes, role, name, box, layer, label } = found;
  const { paths, contexts, modals, focused } = page;
  const { place, isDead, ...where } = whereabouts(element, found, label, modals);
  const description = attributes.length === 0 ? "" : descriptionOf(element, name, attributes);
  const isDisabled = found.isDisabled || isDead;
  const state = stateOf(element, role, attributes, { isDisabled, focused });
  const context = isAlone ? "" : contexts.contextOf(element, name);
  const hint = name === "" ? hintOf(element) : "";
  const hosts = element.getRootNode() === document ? [] : hostsOf(element, paths);
  return {
    kind: "element",
    key: keyOf(element),
    tag: element.localName,
    role,
    name,
    ...(description !== "" && { description }),
    ...(hint !== "" && { hint }),
    ...(state !== null && { state }),
    ...(attributes.includes("draggable") && isDraggable(element) && { draggable: true as const }),
    ...(holdsSomething(element, role) && contentsOf(element, role, state?.disabled === true)),
    box,
    place,
    ...where,
    ...(context !== "" && { context }),
    layer,
    path: paths.path(element),
    ...(hosts.length > 0 && { hosts }),
    attributes: attributesOf(element, attributes),
  };
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

function describeFrame({ clip, ...frame }: FoundFrame, { paths, modals }: Page): WalkedFrame {
  const element = elementByKey(frame.key) ?? document.documentElement;
  const { place, isDead: _, ...where } = whereabouts(element, { ...frame, clip }, null, modals);
  const hosts = hostsOf(element, paths);
  return {
    ...frame,
    place,
    ...where,
    path: paths.path(element),
    ...(hosts.length > 0 && { hosts }),
  };
}

interface Whereabouts {
  readonly place: Place;
  readonly coveredBy?: string;
  readonly clippedBy?: string;
  /** It takes no presses. */
  readonly isDead: boolean;
}

/** Where a thing is, and what keeps a press from it. */
function whereabouts(
  element: Element,
  { box, clip, layer }: { readonly box: Box; readonly clip: Clip | null; readonly layer: number },
  label: Element | null,
  modals: Modals,
): Whereabouts {
  const place = placeOf(box);
  const modal = modals.blocking(element, place, layer);
  if (modal !== null) return { place, coveredBy: describeObstacle(modal), isDead: false };
  const isCut = clip !== null && isOutside(box, clip.box);
  // Links to what is further down, e.g., that show only when the keys reach them.
  if (box.width <= tiny && box.height <= tiny) return { place, isDead: false };
  if (place === "viewport") {
    const { obstacle, clipper } = reachOf(element, box, label);
    if (clipper !== null) {
      return { place: "clipped", clippedBy: describeObstacle(clipper), isDead: false };
    }
    if (obstacle === null || isCut) {
      return isCut && obstacle !== null ? clippedBy(clip) : { place, isDead: false };
    }
    if (getComputedStyle(element).pointerEvents === "none") return { place, isDead: true };
    // A press beside it, on what it stands in, is no cover.
    const isCover = !flatContains(obstacle, element);
    return { place, ...(isCover && { coveredBy: describeObstacle(obstacle) }), isDead: false };
  }
  return isCut ? clippedBy(clip) : { place, isDead: false };
}

function clippedBy({ element }: Clip): Whereabouts {
  return { place: "clipped", clippedBy: describeObstacle(element), isDead: false };
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

function hostsOf(element: Element, paths: PathWriter): readonly ElementPath[] {
  const hosts: ElementPath[] = [];
  for (
    let root = element.getRootNode();
    root instanceof ShadowRoot;
    root = root.host.getRootNode()
  ) {
    hosts.unshift(paths.path(root.host));
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
