/** Tags whose inside is never walked: it is no content, or the control is one thing. */
export const leaves: ReadonlySet<string> = new Set(
  "script style noscript template head input select textarea canvas video audio embed object iframe frame img picture datalist meter progress area defs symbol title desc".split(
    " ",
  ),
);

/** What has to be looked at more closely than its text. */
export const specialSelector = [
  ..."a area audio button canvas details dialog embed frame iframe img input label object select summary text textarea video".split(
    " ",
  ),
  "[role]",
  "[tabindex]",
  "[contenteditable]",
  "[draggable]",
  "[hidden]",
  "[inert]",
  "[popover]",
  "[aria-modal]",
  "[aria-disabled]",
  "[onclick]",
  "[ondblclick]",
  "[onmousedown]",
  "[onpointerdown]",
  "[onmouseup]",
  "[ontouchstart]",
].join(",");

/** The page itself is editable where its designer switched that on. */
export function isSpecialTag(tag: string): boolean {
  return tag === "body";
}
