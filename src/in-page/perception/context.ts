import { contentOf, nameOf, subjectOf, tidy } from "./names.ts";
import { roleOf } from "./roles.ts";
import { flatParent } from "./tree.ts";

/** How far around an element its context is looked for. */
const mostSteps = 12;
const longestContext = 80;

/** Tells elements with the same name apart; made anew for each walk, since it remembers what it read. */
export class ContextReader {
  readonly #texts = new WeakMap<Element, string>();

  /** The row, item, group or section that an element with this name belongs to; empty where none tells. */
  contextOf(element: Element, name: string): string {
    let steps = 0;
    for (let at = flatParent(element); at !== null && steps < mostSteps; at = flatParent(at)) {
      steps += 1;
      let text = this.#texts.get(at);
      if (text === undefined) {
        text = textOf(at);
        this.#texts.set(at, text);
      }
      const rest = tidy(text.replace(name, " "));
      if (rest !== "") {
        return rest.length > longestContext ? `${rest.slice(0, longestContext - 1)}…` : rest;
      }
      if (at === document.body) break;
    }
    return "";
  }
}

function textOf(element: Element): string {
  const role = roleOf(element);
  switch (role) {
    case "row":
    case "listitem":
    case "article":
    case "treeitem":
      return subjectOf(element);
    case "group":
    case "radiogroup":
    case "dialog":
    case "alertdialog":
    case "form":
    case "toolbar":
    case "navigation":
    case "complementary":
      return nameOf(element, role);
    case "region":
    case "main":
      return nameOf(element, role) || headingIn(element);
    default:
      return "";
  }
}

function headingIn(element: Element): string {
  const heading = element.querySelector("h1, h2, h3, h4, h5, h6, [role=heading]");
  return heading === null ? "" : contentOf(heading);
}

/** Roles that a person would call something by. */
const calledByRole = /^(?:alertdialog|banner|dialog|listbox|menu|navigation|toolbar|tooltip)$/;

/** What lies over something or cuts it away, in words: the dialog or box that it is part of. */
export function describeObstacle(obstacle: Element): string {
  for (
    let at: Element | null = obstacle;
    at !== null && at !== document.body;
    at = flatParent(at)
  ) {
    const role = roleOf(at);
    const isLabelled = at === obstacle && at.hasAttribute("aria-label");
    if (!calledByRole.test(role) && !isLabelled) continue;
    const called = role === "generic" ? "box" : role;
    const name = nameOf(at, role);
    return name === "" ? `a ${called}` : `the ${called} "${name}"`;
  }
  const own = contentOf(obstacle).slice(0, 60);
  const id = obstacle.id === "" ? "" : `#${obstacle.id}`;
  const [first] = obstacle.classList;
  const mark = id || (first === undefined ? "" : `.${first}`);
  return `<${obstacle.localName}${mark}>${own === "" ? "" : ` "${own}"`}`;
}
