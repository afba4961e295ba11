import type { ElementState } from "../perception-protocol.ts";
import type { ElementChange, PageChanges, PageElement } from "./observation.ts";
import { stateNotes } from "./render-element.ts";

/** What an observation remembers of an element to tell the next one what changed. */
export type Snapshot = ReadonlyMap<string, PageElement>;

/** What is different between two observations of one document. */
export function changesBetween(before: Snapshot, after: readonly PageElement[]): PageChanges {
  const added: string[] = [];
  const changed: ElementChange[] = [];
  const present = new Set<string>();
  for (const element of after) {
    present.add(element.id);
    const earlier = before.get(element.id);
    if (earlier === undefined) added.push(element.id);
    else if (earlier !== element) {
      const what = differences(earlier, element);
      if (what.length > 0) changed.push({ id: element.id, what: what.join("; ") });
    }
  }
  const gone = [...before.values()]
    .filter(({ id }) => !present.has(id))
    .map(({ id, role, name }) => ({ id, role, name }));
  return { added, changed, gone };
}

function differences(before: PageElement, after: PageElement): readonly string[] {
  const what: string[] = [];
  if (before.name !== after.name) what.push(`was "${before.name}", is "${after.name}"`);
  if (before.value !== after.value) {
    what.push(after.value === null ? "is empty now" : `holds "${after.value}" now`);
  }
  if (!isSameState(before.state, after.state)) {
    const earlier = stateNotes(before.state);
    const now = stateNotes(after.state);
    const begun = now.filter((note) => !earlier.includes(note));
    const ended = earlier.filter((note) => !now.includes(note));
    if (begun.length > 0) what.push(`now ${begun.join(", ")}`);
    if (ended.length > 0) what.push(`no longer ${ended.join(", ")}`);
  }
  if (before.coveredBy !== after.coveredBy) {
    what.push(after.coveredBy === null ? "no longer covered" : `covered by ${after.coveredBy}`);
  }
  if (before.place !== after.place) {
    what.push(after.place === "viewport" ? "came into view" : `out of view (${after.place})`);
  }
  return what;
}

function isSameState(before: ElementState, after: ElementState): boolean {
  if (before === after) return true;
  const names = Object.keys(after) as (keyof ElementState)[];
  return (
    names.length === Object.keys(before).length &&
    names.every((name) => before[name] === after[name])
  );
}
