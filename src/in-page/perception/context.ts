import { contentOf, nameOf, subjectOf, tidy } from "./names.ts";
import { roleOf } from "./roles.ts";
import { flatParent } from "./tree.ts";

/** How far around an element its context is looked for. */
const mostSteps = 12;
const longestContext = 80;

/** An element that may tell what those in it belong to. */
interface Surrounding {
  /** How many elements are around it. */
  readonly depth: number;
  /** Empty where it tells nothing. */
  readonly text: string;
  /** The nearest around it that tells something. */
  readonly next: Surrounding | null;
}

/** Says what is around elements; made anew for each walk, since it remembers what it read. */
export class ContextReader {
  readonly #surroundings = new Map<Element, Surrounding>();
  readonly #obstacles = new Map<Element, string>();

  /** The row, item, group or section that an element with this name belongs to; empty where none tells. */
  contextOf(element: Element, name: string): string {
    const parent = flatParent(element);
    if (parent === null) return "";
    const around = this.#surrounding(parent);
    const lowest = around.depth - mostSteps;
    for (
      let at = around.text === "" ? around.next : around;
      at !== null && at.depth > lowest;
      at = at.next
    ) {
      const rest = tidy(at.text.replace(name, " "));
      if (rest !== "") {
        return rest.length > longestContext ? `${rest.slice(0, longestContext - 1)}…` : rest;
      }
    }
    return "";
  }

  #surrounding(element: Element): Surrounding {
    // Without recursion: pages nest as deep as they like.
    const below: Element[] = [];
    let known: Surrounding | null = null;
    for (let at: Element | null = element; at !== null; at = flatParent(at)) {
      known = this.#surroundings.get(at) ?? null;
      if (known !== null) break;
      below.push(at);
      if (at === document.body) break;
    }
    for (let index = below.length - 1; index >= 0; index -= 1) {
      const at = below[index] as Element;
      known = {
        depth: known === null ? 0 : known.depth + 1,
        text: textOf(at),
        next: known === null || known.text !== "" ? known : known.next,
      };
      this.#surroundings.set(at, known);
    }
    return known ?? { depth: 0, text: "", next: null };
  }

  /** What lies over something or cuts it away, in words: the dialog or box that it is part of. */
  describeObstacle(obstacle: Element): string {
    let words = this.#obstacles.get(obstacle);
    if (words === undefined) {
      words = describeObstacle(obstacle);
      this.#obstacles.set(obstacle, words);
    }
    return words;
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

function describeObstacle(obstacle: Element): string {
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
