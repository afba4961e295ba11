import type { PageElement } from "./observation.ts";

/** The contract's letters: what kind of thing an id names. */
const letterOfRole: Readonly<Record<string, string>> = {
  link: "L",
  button: "B",
  tab: "B",
  menuitem: "B",
  radio: "B",
  checkbox: "B",
  menuitemcheckbox: "B",
  menuitemradio: "B",
  switch: "B",
  combobox: "I",
  textbox: "I",
  searchbox: "I",
  listbox: "I",
  slider: "I",
  spinbutton: "I",
  date: "I",
  "datetime-local": "I",
  month: "I",
  week: "I",
  time: "I",
  color: "I",
  file: "I",
  image: "F",
  img: "F",
  figure: "F",
  option: "O",
};

/** Elements that are gone are remembered for this many ids, so that an action can say what it was. */
const mostRemembered = 20_000;

/**
 * Gives elements their ids, once and for all: within a session no id is ever given to another
 * element, not after a navigation and not in another tab.
 */
export class ElementIds {
  readonly #ids = new Map<string, string>();
  readonly #known = new Map<string, PageElement>();
  readonly #counters: Map<string, number>;

  /** `lastNumbers`: the last number of each letter that was given before, which ids go on from. */
  constructor(lastNumbers: Readonly<Record<string, number>> = {}) {
    this.#counters = new Map(Object.entries(lastNumbers));
  }

  /** The last number of each letter. */
  get lastNumbers(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counters);
  }

  /** The id of the element that has this key in this document. */
  idFor(documentId: string, key: string, role: string): string {
    const place = `${documentId}:${key}`;
    const given = this.#ids.get(place);
    if (given !== undefined) return given;
    const letter = letterOfRole[role] ?? "M";
    const number = (this.#counters.get(letter) ?? 0) + 1;
    this.#counters.set(letter, number);
    const id = `${letter}${number}`;
    this.#ids.set(place, id);
    return id;
  }

  remember(element: PageElement): void {
    this.#known.delete(element.id);
    this.#known.set(element.id, element);
    if (this.#known.size <= mostRemembered) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  find(id: string): PageElement | null {
    return this.#known.get(id) ?? null;
  }
}
