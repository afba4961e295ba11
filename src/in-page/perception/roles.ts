/** Roles by WAI-ARIA 1.2 and HTML-AAM, as far as operating a page needs them. */

const widgetRoles: ReadonlySet<string> = new Set([
  "button",
  "checkbox",
  "combobox",
  "gridcell",
  "link",
  "listbox",
  "menuitem",
  "menuitemcheckbox",
  "menuitemradio",
  "option",
  "radio",
  "scrollbar",
  "searchbox",
  "slider",
  "spinbutton",
  "switch",
  "tab",
  "textbox",
  "treeitem",
]);

/** Roles that are operable only when the page lets the focus into them. */
const focusableOnly: ReadonlySet<string> = new Set(["gridcell", "scrollbar"]);

/** Controls that are pressed as a whole: what they show is what they are called. */
const atomicRoles: ReadonlySet<string> = new Set(
  "button checkbox link menuitem menuitemcheckbox menuitemradio option radio switch tab".split(" "),
);

/** Of WAI-ARIA 1.2, without the abstract ones and those of the widgets. */
const otherRoles: ReadonlySet<string> = new Set(
  "alert alertdialog application article banner blockquote caption cell code columnheader complementary contentinfo definition deletion dialog directory document emphasis feed figure form generic grid group heading img image insertion list listitem log main mark marquee math menu menubar meter navigation note paragraph progressbar radiogroup region row rowgroup rowheader search separator status strong subscript superscript table tablist tabpanel term time timer toolbar tooltip tree treegrid".split(
    " ",
  ),
);

const inputRoles: Readonly<Record<string, string>> = {
  button: "button",
  checkbox: "checkbox",
  email: "textbox",
  image: "button",
  number: "spinbutton",
  password: "textbox",
  radio: "radio",
  range: "slider",
  reset: "button",
  search: "searchbox",
  submit: "button",
  tel: "textbox",
  text: "textbox",
  url: "textbox",
};

const tagRoles: Readonly<Record<string, string>> = {
  article: "article",
  aside: "complementary",
  audio: "audio",
  button: "button",
  canvas: "canvas",
  dialog: "dialog",
  embed: "embed",
  fieldset: "group",
  figure: "figure",
  footer: "contentinfo",
  form: "form",
  h1: "heading",
  h2: "heading",
  h3: "heading",
  h4: "heading",
  h5: "heading",
  h6: "heading",
  header: "banner",
  img: "img",
  li: "listitem",
  main: "main",
  meter: "meter",
  nav: "navigation",
  object: "object",
  ol: "list",
  optgroup: "group",
  option: "option",
  progress: "progressbar",
  section: "region",
  summary: "button",
  table: "table",
  td: "cell",
  textarea: "textbox",
  th: "columnheader",
  tr: "row",
  ul: "list",
  video: "video",
};

/** The role of an element that has nothing but its tag to tell it. */
export function roleOfTag(tag: string): string {
  return tagRoles[tag] ?? "generic";
}

/** The role that an element has for a person; `generic` where it has none. */
export function roleOf(element: Element): string {
  const explicit = element.getAttribute("role");
  if (explicit !== null) {
    // The first one that is known counts; presentational roles say nothing of what can be done.
    for (const role of explicit.toLowerCase().split(/\s+/)) {
      if (role === "none" || role === "presentation") break;
      if (widgetRoles.has(role) || otherRoles.has(role)) return role;
    }
  }
  return implicitRole(element);
}

function implicitRole(element: Element): string {
  const tag = element.localName;
  if (tag === "button" || tag === "img" || tag === "label") return roleOfTag(tag);
  if (tag === "a" || tag === "area") return leadsSomewhere(element) ? "link" : "generic";
  if (tag === "input") {
    const { type } = element as HTMLInputElement;
    const role = inputRoles[type];
    if (role === "textbox" || role === "searchbox") {
      return element.hasAttribute("list") ? "combobox" : role;
    }
    // Dates, colours and files have no ARIA role; a person knows them by their type.
    return role ?? type;
  }
  if (tag === "select") {
    const { multiple, size } = element as HTMLSelectElement;
    return multiple || size > 1 ? "listbox" : "combobox";
  }
  if (tag === "details" && !hasSummary(element)) return "button";
  if (element instanceof HTMLElement && isEditingHost(element)) return "textbox";
  return tagRoles[tag] ?? "generic";
}

/** Whether an explicit role says that the element is a control. */
export function hasWidgetRole(element: Element, role: string): boolean {
  if (!element.hasAttribute("role") || !widgetRoles.has(role)) return false;
  // A list of options holds what is chosen; it is something of its own only where it takes the keys.
  if (role === "listbox") return (element as HTMLElement).tabIndex >= 0;
  return !focusableOnly.has(role) || element.hasAttribute("tabindex");
}

export function isWidget(role: string): boolean {
  return widgetRoles.has(role);
}

/** Whether a control with this role is pressed as a whole. */
export function isAtomic(role: string): boolean {
  return atomicRoles.has(role);
}

/** Whether typing goes into this element itself, not into one around it. */
export function isEditingHost(element: HTMLElement): boolean {
  if (!element.isContentEditable) return false;
  return element.parentElement?.isContentEditable !== true;
}

/** Controls that HTML itself makes operable. */
export function isNativeControl(element: Element): boolean {
  switch (element.localName) {
    case "a":
    case "area":
      return leadsSomewhere(element);
    case "input":
      return (element as HTMLInputElement).type !== "hidden";
    case "button":
    case "select":
    case "textarea":
    case "canvas":
      return true;
    case "summary":
      return isFirstSummary(element);
    case "details":
      return !hasSummary(element);
    case "audio":
    case "video":
      return element.hasAttribute("controls");
    default:
      return element instanceof HTMLElement && isEditingHost(element);
  }
}

/** Links in drawings may have their address in the older attribute. */
function leadsSomewhere(element: Element): boolean {
  return element.hasAttribute("href") || element.hasAttribute("xlink:href");
}

/** Later ones fold nothing. */
function isFirstSummary(element: Element): boolean {
  const details = element.parentElement;
  return details?.localName === "details" && details.querySelector(":scope > summary") === element;
}

/** The browser shows a summary of its own where the page has none. */
export function hasSummary(details: Element): boolean {
  return details.querySelector(":scope > summary") !== null;
}
