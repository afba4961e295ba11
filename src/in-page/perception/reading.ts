/**
 * What one walk has read of the page already. A walk runs in one go, so nothing of that changes while
 * it lasts.
 */

const seen = new Set<Element>();
const labels = new Map<Node, ReadonlyMap<Element, readonly Element[]>>();

/** Forgets what an earlier walk read. */
export function beginReading(): void {
  seen.clear();
  labels.clear();
}

/** Notes that an element is drawn, and that its own text can be seen. */
export function noteSeen(element: Element): void {
  seen.add(element);
}

/** Whether the walk has seen that an element is drawn; false where it did not look. */
export function wasSeen(element: Element): boolean {
  return seen.has(element);
}

const noLabels: readonly Element[] = [];

/** The labels of a control. Its own `labels` looks through the whole document for each. */
export function labelsOf(control: Element): readonly Element[] {
  const root = control.getRootNode();
  let known = labels.get(root);
  if (known === undefined) {
    known = labelsIn(root as ParentNode);
    labels.set(root, known);
  }
  return known.get(control) ?? noLabels;
}

function labelsIn(root: ParentNode): ReadonlyMap<Element, readonly Element[]> {
  const found = new Map<Element, Element[]>();
  for (const label of root.querySelectorAll("label")) {
    const { control } = label;
    if (control === null) continue;
    const others = found.get(control);
    if (others === undefined) found.set(control, [label]);
    else others.push(label);
  }
  return found;
}
