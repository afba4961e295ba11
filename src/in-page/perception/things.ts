import type { Box } from "../../pages/perception-protocol.ts";
import { type Evidence, takesFocus } from "./candidates.ts";
import { type Clip, type FoundItem, isFoundElement, isText } from "./found.ts";

/** A candidate whose inside is being walked. */
export interface Candidate {
  readonly element: Element;
  readonly evidence: Evidence;
  readonly role: string;
  readonly box: Box;
  readonly label: Element | null;
  readonly layer: number;
  readonly clip: Clip | null;
  readonly isDisabled: boolean;
  readonly isListening: boolean;
  /** Its place among the items. */
  readonly at: number;
  /** How many elements had been seen when it began. */
  readonly began: number;
}

/** A container that listens, for all that is known, is no thing when it is larger than this. */
const mostListening = { elements: 60, share: 0.5 };
/** A card that listens and has controls of its own beside its text. */
const mostOfCard = { elements: 40, share: 0.15, controls: 2 };
/** A box with a hand for a cursor and several controls in it covers no more of the viewport. */
const mostPointing = 0.6;

/** Tags that hold things rather than being one. */
const holders =
  /^(?:ul|ol|dl|table|tbody|thead|form|fieldset|nav|header|footer|main|section|aside)$/;
/** Roles of ARIA's older patterns, in which the control is inside. */
const wrapsInput = /^(?:combobox|searchbox|slider|spinbutton|textbox)$/;

/** Whether a candidate is something of its own, now that it is known what is inside. */
export function isThing(
  candidate: Candidate,
  items: readonly (FoundItem | null)[],
  elementCount: number,
): boolean {
  const { evidence, element, role, box, at, began, isListening } = candidate;
  if (evidence === "native") return true;
  let controls = 0;
  let inputs = 0;
  let hasText = false;
  for (let index = at + 1; index < items.length; index += 1) {
    const item = items[index] ?? null;
    if (isFoundElement(item)) {
      controls += 1;
      if (/^(?:input|textarea|select)$/.test(item.element.localName)) inputs += 1;
    } else if (isText(item)) hasText = true;
  }
  if (controls === 0 && evidence !== "listener") return true;
  const wrapsOne = controls === 1 && !hasText;
  const elements = elementCount - began;
  const share = shareOf(box);
  switch (evidence) {
    case "role":
      return takesFocus(element) || !(wrapsOne || (wrapsInput.test(role) && inputs > 0));
    case "focus":
      return !wrapsOne || isListening;
    case "looks":
      return !wrapsOne && !(controls > 1 && share > mostPointing);
    case "listener":
      if (box.height > innerHeight) return false;
      if (controls === 0) {
        return elements <= mostListening.elements && share < mostListening.share;
      }
      return (
        hasText &&
        controls <= mostOfCard.controls &&
        elements <= mostOfCard.elements &&
        share < mostOfCard.share &&
        !holders.test(element.localName)
      );
  }
}

/** How much of the viewport a box would cover. */
function shareOf({ width, height }: Box): number {
  const area = Math.min(width, innerWidth) * Math.min(height, innerHeight);
  return area / (innerWidth * innerHeight);
}

/** Whether something inside a candidate is so large that pressing either is the same. */
export function fills(inner: Box, outer: Box): boolean {
  return inner.width * inner.height > 0.5 * outer.width * outer.height;
}
