/** What these are for is said by what they are called, whatever type they have. */
const secretName =
  /passw(?:or)?d|passcode|passphrase|\bpwd\b|\bcvv\b|\bcvc\b|card.?(?:verification|security)/i;

/** Inputs that once were passwords: a page that shows one in clear for a moment changes its type. */
const known = new WeakSet<Element>();

/** Whether what is typed here must not be shown. */
export function isSecret(element: Element): boolean {
  if (!(element instanceof HTMLInputElement)) return false;
  if (element.type === "password") {
    known.add(element);
    return true;
  }
  if (known.has(element)) return true;
  if (!/^(?:number|tel|text)$/.test(element.type)) return false;
  return (
    /(?:current|new)-password|cc-csc/.test(element.autocomplete) ||
    secretName.test(element.name) ||
    secretName.test(element.id) ||
    isDotted(element)
  );
}

/** Shown as dots by a style of the page's own. */
function isDotted(element: Element): boolean {
  const security = getComputedStyle(element).getPropertyValue("-webkit-text-security");
  return security !== "" && security !== "none";
}

/** Whether keys go into a field of this frame whose content must not be shown. */
export function focusIsSecret(): boolean {
  // A frame remembers what had its focus, also when another one has it now.
  if (window !== window.top && !document.hasFocus()) return false;
  let focused = document.activeElement;
  for (let inner = focused; inner !== null; inner = focused?.shadowRoot?.activeElement ?? null) {
    focused = inner;
  }
  return focused !== null && isSecret(focused);
}
