/** @module-tag long */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

/** A tree of boxes and controls; every control has the same place for its own name. */
type Tree =
  | { readonly control: string }
  | { readonly box: string; readonly children: readonly Tree[] };

const controls = [
  '<button data-c="#">#</button>',
  '<a href="/#" data-c="#">#</a>',
  '<input data-c="#" aria-label="#">',
  '<input type=checkbox data-c="#" aria-label="#">',
  '<input type=range data-c="#" aria-label="#">',
  '<textarea data-c="#" aria-label="#"></textarea>',
  '<select data-c="#" aria-label="#"><option>a<option>b</select>',
  '<label>#<input data-c="#"></label>',
  '<div role=button tabindex=0 data-c="#">#</div>',
  '<span role=switch tabindex=0 aria-checked=true data-c="#">#</span>',
  '<div contenteditable data-c="#" aria-label="#">text</div>',
  '<button disabled data-c="#">#</button>',
];

/** `%` is where the children go. */
const boxes = [
  "<div>%</div>",
  "<section><h2>Heading</h2>%</section>",
  "<ul><li>%</li></ul>",
  "<table><tr><td>%</td></tr></table>",
  "<fieldset><legend>Group</legend>%</fieldset>",
  '<div style="display:contents">%</div>',
  '<div style="height:60px;overflow:auto">%</div>',
  '<div style="opacity:0.5;transform:translateX(10px)">%</div>',
  "<x-y><template shadowrootmode=open><p>Shadow</p><slot></slot></template>%</x-y>",
  "<x-y><template shadowrootmode=open>%</template></x-y>",
  "<details open><summary data-s>More</summary>%</details>",
  "<details><summary data-s>Closed</summary>%</details>",
  "<div hidden>%</div>",
  '<div style="visibility:hidden">%</div>',
  "<div inert>%</div>",
  '<div style="height:2000px">%</div>',
];

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ control: fc.constantFrom(...controls) }),
    fc.record({
      box: fc.constantFrom(...boxes),
      children: fc.array(tie("tree"), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));

function htmlOf(trees: readonly Tree[]): string {
  let count = 0;
  const write = (one: Tree): string => {
    if ("control" in one) {
      count += 1;
      return one.control.replaceAll("#", `c${count}`);
    }
    return one.box.replace("%", one.children.map(write).join(""));
  };
  return trees.map(write).join("");
}

/**
 * What the browser itself lets a person get at: what takes the focus, or would if it were not
 * disabled. Knows nothing of how observations find things.
 */
const oracle = `(() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.dataset.c !== undefined) {
        const disabled = element.disabled === true;
        if (disabled) element.disabled = false;
        element.focus({ preventScroll: true });
        if (element.matches(":focus")) found.push(element.dataset.c);
        if (disabled) element.disabled = true;
      }
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(document);
  document.activeElement?.blur();
  return found.sort();
})()`;

test("on any page every operable element is listed, and none twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(tree, { minLength: 1, maxLength: 6 }), async (trees) => {
      await lab.open(htmlOf(trees));
      const expected = await lab.evaluate<readonly string[]>(oracle);
      const { elements } = await lab.observe();
      const named = elements.filter(({ tag }) => tag !== "summary").map(({ name }) => name);
      expect([...named].sort()).toEqual(expected);
      expect(new Set(elements.map(({ id }) => id)).size).toBe(elements.length);
    }),
    { numRuns: 80 },
  );
}, 120_000);
