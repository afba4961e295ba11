/** Tags whose inside is never walked: it is no content, or the control is one thing. */
export const leaves: ReadonlySet<string> = new Set(
  "script style noscript template head input select textarea canvas video audio embed object iframe frame img picture datalist meter progress area defs symbol title desc".split(
    " ",
  ),
);

/** Tags that have to be looked at more closely than their text. */
export const specialTags: ReadonlySet<string> = new Set(
  // The page itself is editable where its designer switched that on.
  "a area audio body button canvas details dialog embed frame iframe img input label object select summary text textarea video".split(
    " ",
  ),
);

/** What has to be looked at as closely for an attribute, whatever its tag. */
export const specialSelector = [
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

/** What makes a drawing more than a picture. */
export const drawnTags = "a,text";
