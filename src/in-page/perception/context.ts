import { contentOf, nameOf, subjectOf, tidy } from "./names.ts";
import { roleOf } from "./roles.ts";
import { flatParent } from "./tree.ts";

/** How far around an element its context is looked for. */
const mostSteps = 12;
const longestContext = 80;

/** The nearest to an element, itself or around it, that tells what it belongs to. */
interface Teller {
  readonly element: Element;
  readonly text: string;
  /** How many elements lie between. */
  readonly distance: number;
}

/** Says what is around elements; made anew for each walk, since it remembers what it read. */
export class ContextReader {
  readonly #tellers = new Map<Element, Teller | null>();
  readonly #obstacles = new Map<Element, string>();

  /** The row, item, group or section that an element with this name belongs to; empty where none tells. */
  contextOf(element: Element, name: string): string {
    let steps = 1;
    for (let at = flatParent(element); at !== null; ) {
      const teller = this.#tellerAt(at);
      if (teller === null) break;
      steps += teller.distance;
      if (steps > mostSteps) break;
      const rest = tidy(teller.text.replace(name, " "));
      if (rest !== "") {
        return rest.length > longestContext ? `${rest.slice(0, longestContext - 1)}…` : rest;
      }
      at = flatParent(teller.element);
      steps += 1;
    }
    return "";
  }

  #tellerAt(element: Element): Teller | null {
    // Without recursion: pages nest as deep as they like.
    const below: Element[] = [];
    let teller: Teller | null = null;
    for (let at: Element | null = element; at !== null; at = flatParent(at)) {
      const known = this.#tellers.get(at);
      if (known !== undefined) {
        teller = known;
        break;
      }
      const text = textOf(at);
      if (text !== "") {
        teller = { element: at, text, distance: 0 };
        this.#tellers.set(at, teller);
        break;
      }
      below.push(at);
      if (at === document.body) break;
    }
    for (let index = below.length - 1; index >= 0; index -= 1) {
      if (teller !== null) teller = { ...teller, distance: teller.distance + 1 };
      this.#tellers.set(below[index] as Element, teller);
    }
    return teller;
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
