import type { Box, WalkedLayer, WalkRequest } from "../../pages/perception-protocol.ts";
import { areaBox } from "./areas.ts";
import { type Evidence, evidenceOf, showsHand } from "./candidates.ts";
import { type Found, type FoundItem, isFoundElement, isText } from "./found.ts";
import { boxOf, isVisible, placeOf } from "./geometry.ts";
import { layerOf } from "./layers.ts";
import { Level } from "./level.ts";
import { type Listening, listeningOf } from "./listening.ts";
import { contentOf, isNamedByContent, nameOf, nameOfHolder, seenTextOf } from "./names.ts";
import { beginReading, noteSeen } from "./reading.ts";
import { keyOf } from "./registry.ts";
import { isAtomic, isWidget, roleOf } from "./roles.ts";
import { boxedBy } from "./scrollers.ts";
import { drawnTags, leaves, specialSelector } from "./special.ts";
import { controlOf, labelInPlaceOf, namesControl } from "./stand-ins.ts";
import { traitsOf } from "./tags.ts";
import { TextRun } from "./text-run.ts";
import { type Candidate, fills, isThing } from "./things.ts";

/** Past the most that was asked for, what is open over the page or in view is listed all the same, up to so many more. */
const mostBeyond = 1000;
/** Past so many elements a page is not walked further, whatever it holds. */
const mostWalked = 60_000;
/** Short texts of a control that its name replaces. */
const longestReplaced = 80;
/** As the DOM numbers the kinds of nodes. */
const elementNode = 1;
const textNode = 3;
/** Longer texts are in a name that was cut by their beginnings. */
const longestCompared = 40;

/** Finds what there is to operate and to read in the document, in one pass from top to bottom. */
export class Walk {
  readonly #request: WalkRequest;
  readonly #items: (FoundItem | null)[] = [];
  readonly #layers: WalkedLayer[] = [];
  readonly #modals: Element[] = [];
  readonly #listening: ReadonlyMap<Element, Listening>;
  /** Controls that were listed at the place of their label. */
  readonly #labelled = new Set<Element>();
  readonly #special = new Set<Element>();
  readonly #text = new TextRun();
  #elementCount = 0;
  #found = 0;
  #texts = 0;
  #truncated = false;

  constructor(request: WalkRequest) {
    this.#request = request;
    this.#listening = listeningOf(request.listeners);
    for (const element of this.#listening.keys()) this.#noteDrawing(element);
  }

  run(): Found {
    beginReading();
    this.#noteSpecial(document);
    const root = document.body ?? document.documentElement;
    if (root !== null) this.#walk(root);
    return {
      items: this.#items,
      layers: this.#layers,
      modals: this.#modals,
      elementCount: this.#elementCount,
      truncated: this.#truncated,
    };
  }

  /** By the browser in one go: asking each element for each of these takes most of a walk's time. */
  #noteSpecial(root: Document | ShadowRoot): void {
    const found = root.querySelectorAll(specialSelector);
    for (let index = 0; index < found.length; index += 1) {
      const element = found[index] as Element;
      this.#special.add(element);
      this.#noteDrawing(element);
    }
    const drawings = root.querySelectorAll("svg");
    for (let index = 0; index < drawings.length; index += 1) {
      const drawing = drawings[index] as Element;
      if (drawing.querySelector(drawnTags) !== null) this.#special.add(drawing);
    }
  }

  /** A drawing is walked only where something in it can be operated. */
  #noteDrawing(element: Element): void {
    const drawing = (element as SVGElement).ownerSVGElement;
    if (drawing != null) this.#special.add(drawing);
  }

  /** Without recursion: pages nest as deep as they like. */
  #walk(root: Element): void {
    const page = new Level(root);
    const levels: Level[] = [];
    const first = this.#enter(root, page);
    if (first !== null) levels.push(first);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const child = level.nextChild();
      if (child === null) {
        levels.pop();
        this.#leave(level);
      } else if (child.nodeType === textNode) {
        this.#readText((child as Text).data, level, child);
      } else if (child.nodeType === elementNode) {
        const next = this.#enter(child as Element, level);
        if (next !== null) levels.push(next);
      }
    }
    this.#flush(page);
  }

  /** Null where there is nothing (more) to walk inside. */
  #enter(element: Element, around: Level): Level | null {
    this.#elementCount += 1;
    if (this.#found >= this.#request.maxElements + mostBeyond || this.#elementCount > mostWalked) {
      this.#truncated = true;
      return null;
    }
    const tag = element.localName;
    const traits = traitsOf(tag);
    if (traits.isUndrawn) return null;
    if (tag === "area") {
      this.#listArea(element as HTMLAreaElement, around);
      return null;
    }
    const isDrawn = element.checkVisibility();
    const style = getComputedStyle(element);
    if (!isDrawn && style.display !== "contents") return null;
    const visible = style.visibility === "visible";
    if (visible) noteSeen(element);
    if (tag === "br" || tag === "hr") {
      this.#flush(around);
      return null;
    }
    if (element.shadowRoot !== null) this.#noteSpecial(element.shadowRoot);
    const isSpecial = traits.isSpecial || this.#special.has(element);
    const role = isSpecial ? roleOf(element) : traits.role;
    if (!traits.isInline && !traits.isCell) this.#flush(around);
    const level = around.enter(element, visible, traits.isInline);
    if (isSpecial) this.#readSpecial(element, tag, role, level);
    if (visible && !level.isInert) {
      level.hand = around.hand || level.within !== null || showsHand(style);
      const hasPointer = level.hand && !around.hand;
      if (isSpecial || hasPointer || this.#listening.has(element)) {
        const evidence = this.#evidence(element, role, isSpecial, hasPointer, level);
        if (evidence !== null && !this.#open(element, role, evidence, style, level)) return null;
      }
    }
    const isOver =
      traits.isLeaf ||
      (tag === "svg" && !isSpecial) ||
      (level.candidate !== null && isEditor(element, role)) ||
      (traits.mayScroll && !this.#enterBox(element, style, level));
    if (isOver) {
      this.#leave(level);
      return null;
    }
    if (role === "heading") level.heading = headingLevel(element, tag);
    return this.#inside(element, tag, level);
  }

  /** What is in an element: walked, or read at once where that is nothing but text. */
  #inside(element: Element, tag: string, level: Level): Level | null {
    if (element.firstElementChild === null && element.shadowRoot === null && tag !== "slot") {
      this.#readText(element.textContent ?? "", level, null);
      this.#leave(level);
      return null;
    }
    level.start();
    return level;
  }

  #readSpecial(element: Element, tag: string, role: string, level: Level): void {
    const layer = this.#openLayer(element, role);
    if (layer !== null) level.layer = layer;
    if (element.hasAttribute("inert")) level.isInert = true;
    if (element.getAttribute("aria-disabled") === "true") level.isDisabled = true;
    level.isFolded = isFolded(element, tag);
    if (level.isInert) return;
    if (tag === "label") {
      this.#listHiddenControl(element, level);
      level.isLabel ||= namesControl(element);
    } else if (tag === "iframe" || tag === "frame" || tag === "object" || tag === "embed") {
      this.#listFrame(element as HTMLIFrameElement, level);
    } else if (tag === "img") this.#readImage(element as HTMLImageElement, level);
  }

  #evidence(
    element: Element,
    role: string,
    isSpecial: boolean,
    hasPointer: boolean,
    level: Level,
  ): Evidence | null {
    // A label is pressed for its control, which is listed itself.
    if (element.localName === "label" && controlOf(element) !== null) return null;
    const listening = this.#listening.get(element) ?? null;
    const isInside = level.within !== null;
    return evidenceOf(element, role, { isSpecial, listening, isInside, hasPointer });
  }

  /**
   * Keeps a place for an element that may be operable; what it is is decided when it has been walked.
   * False where there is no room for it, nor for what is in it.
   */
  #open(
    element: Element,
    role: string,
    evidence: Evidence,
    style: CSSStyleDeclaration,
    level: Level,
  ): boolean {
    if (this.#labelled.has(element)) return true;
    const label = labelInPlaceOf(element);
    const box = boxOf(label ?? element);
    if (box === null) return true;
    if (label === null ? isGhost(element, style) : isGhost(label, getComputedStyle(label))) {
      return true;
    }
    if (!this.#hasRoomFor(box, level)) return false;
    const { within } = level;
    const isPart = evidence === "listener" || evidence === "looks";
    if (isPart && within !== null && fills(box, within.box)) return true;
    this.#flush(level);
    this.#items.push(null);
    const candidate: Candidate = {
      element,
      evidence,
      role,
      box,
      label,
      layer: level.layer,
      clip: level.clip,
      isDisabled: level.isDisabled,
      isListening: this.#listening.has(element),
      at: this.#items.length - 1,
      began: this.#elementCount,
    };
    level.candidate = candidate;
    // What only listens may listen for what is inside.
    if (evidence !== "listener") {
      level.within = candidate;
      level.hand = true;
    }
    return true;
  }

  #hasRoomFor(box: Box, level: Level): boolean {
    if (this.#found < this.#request.maxElements) return true;
    this.#truncated = true;
    return level.layer > 0 || placeOf(box) === "viewport";
  }

  #leave(level: Level): void {
    const { element, candidate, isInline } = level;
    if (traitsOf(element.localName).isCell) this.#text.endCell();
    else if (candidate !== null || !isInline) this.#flush(level);
    if (candidate !== null) this.#close(candidate);
  }

  #close(candidate: Candidate): void {
    // The text of a cell that is a thing itself.
    this.#flush(candidate);
    if (!isThing(candidate, this.#items, this.#elementCount)) return;
    const { element, role, box, label, layer, clip, isDisabled, at } = candidate;
    const attributes = element.getAttributeNames();
    const name =
      role === "generic" && this.#items.slice(at + 1).some(isFoundElement)
        ? nameOfHolder(element, attributes)
        : nameOfThing(element, role, attributes);
    this.#items[at] = { element, attributes, role, name, box, layer, label, clip, isDisabled };
    this.#found += 1;
    for (let index = at + 1; index < this.#items.length; index += 1) {
      const item = this.#items[index] ?? null;
      if (!isText(item)) continue;
      const said = item.text.replace(/[[\]]/g, "").trim();
      const begins = isAtomic(role) ? said.slice(0, longestCompared) : said;
      if (name.includes(begins) || (isAtomic(role) && said.length <= longestReplaced)) {
        this.#items[index] = null;
      }
    }
  }

  /** A styled label stands for the control that it hides. */
  #listHiddenControl(label: Element, level: Level): void {
    const control = controlOf(label);
    if (control === null || isVisible(control) || this.#labelled.has(control)) return;
    const box = boxOf(label);
    if (box === null || !level.visible || isGhost(label, getComputedStyle(label))) return;
    if (control.closest("[inert]") !== null) return;
    if (!this.#hasRoomFor(box, level)) return;
    this.#labelled.add(control);
    this.#flush(level);
    const role = roleOf(control);
    this.#list(control, role, nameOf(control, role) || contentOf(label), box, level, label);
  }

  #list(
    element: Element,
    role: string,
    name: string,
    box: Box,
    { layer, clip, isDisabled }: Level,
    label: Element | null,
  ): void {
    const attributes = element.getAttributeNames();
    this.#items.push({ element, attributes, role, name, box, layer, label, clip, isDisabled });
    this.#found += 1;
  }

  #listArea(area: HTMLAreaElement, around: Level): void {
    if (!area.hasAttribute("href") || around.isInert) return;
    const box = areaBox(area);
    if (box === null || !this.#hasRoomFor(box, around)) return;
    this.#list(area, "link", nameOf(area, "link"), box, around, null);
  }

  #listFrame(frame: HTMLIFrameElement, level: Level): void {
    const box = boxOf(frame);
    if (box === null || !level.visible || box.width < 8 || box.height < 8) return;
    this.#items.push({
      kind: "frame",
      key: keyOf(frame),
      name: nameOf(frame, "iframe"),
      box: {
        x: box.x + frame.clientLeft,
        y: box.y + frame.clientTop,
        width: frame.clientWidth,
        height: frame.clientHeight,
      },
      place: placeOf(box),
      layer: level.layer,
      clip: level.clip,
    });
  }

  /** False where the inside of a box cannot be seen, e.g. of a folded part. */
  #enterBox(element: Element, style: CSSStyleDeclaration, level: Level): boolean {
    const box = boxedBy(element, style);
    if (box === null) return true;
    if (box === "folded") return false;
    if (box.scroller !== null) this.#items.push({ ...box.scroller, layer: level.layer });
    level.clip = { element, box: box.visible(level.clip?.box ?? null) };
    return true;
  }

  #openLayer(element: Element, role: string): number | null {
    const layer = layerOf(element, role);
    if (layer === null) return null;
    this.#layers.push({ number: this.#layers.length + 1, ...layer });
    if (layer.modal) this.#modals.push(element);
    return this.#layers.length;
  }

  #readText(text: string, level: Level, node: Node | null): void {
    if (!/\S/.test(text)) this.#text.space();
    else if (level.visible && !level.isLabel && !level.isFolded) {
      this.#text.add(text, level.element, node, level.heading);
    }
  }

  #readImage(image: HTMLImageElement, level: Level): void {
    const alternative = image.alt.trim();
    if (alternative === "" || !level.visible || image.width < 24) return;
    this.#text.add(` [${alternative}] `, image, null, level.heading);
  }

  /** Ends a run of text. */
  #flush({ layer, clip }: Pick<Level, "layer" | "clip">): void {
    if (this.#text.isEmpty) return;
    if (this.#texts >= this.#request.maxTexts) {
      this.#truncated = true;
      this.#text.drop();
      return;
    }
    const text = this.#text.take(layer, clip);
    if (text === null) return;
    this.#texts += 1;
    this.#items.push(text);
  }
}

/** By the standard; what is hidden from assistive technology, or is no control by its role, by what can be seen of it. */
function nameOfThing(element: Element, role: string, attributes: readonly string[]): string {
  const name = nameOf(element, role, attributes);
  if (name !== "" || leaves.has(element.localName)) return name;
  return isNamedByContent(role) || !isWidget(role) ? seenTextOf(element) : "";
}

/** Neither to be seen nor to be hit. */
function isGhost(element: Element, { pointerEvents }: CSSStyleDeclaration): boolean {
  return pointerEvents === "none" && !element.checkVisibility({ opacityProperty: true });
}

/** Whether what is in a thing is its value. */
function isEditor(element: Element, role: string): boolean {
  if (role === "textbox" || role === "searchbox") {
    return element.querySelector("input, textarea") === null;
  }
  return (element as HTMLElement).isContentEditable === true;
}

/** Nothing of its own text can be seen, and of what is in it only a summary. */
function isFolded(element: Element, tag: string): boolean {
  if (tag === "details") return !(element as HTMLDetailsElement).open;
  return element.getAttribute("hidden") === "until-found";
}

function headingLevel(element: Element, tag: string): number {
  return Number(element.getAttribute("aria-level") ?? tag.slice(1)) || 2;
}
