import { inlineTags } from "./inline-tags.ts";
import { roleOfTag } from "./roles.ts";
import { neverScrolls } from "./scrollers.ts";
import { leaves, specialTags } from "./special.ts";

/** What is known of an element by its tag alone. */
export interface TagTraits {
  readonly role: string;
  /** It flows in a line with the text around it. */
  readonly isInline: boolean;
  readonly isCell: boolean;
  /** Its inside is never walked. */
  readonly isLeaf: boolean;
  readonly mayScroll: boolean;
  /** It has to be looked at more closely than its text. */
  readonly isSpecial: boolean;
  /** Nothing of it is ever to be seen. */
  readonly isUndrawn: boolean;
}

const undrawn: ReadonlySet<string> = new Set(
  "base head link meta noscript script style template title".split(" "),
);

const known = new Map<string, TagTraits>();

/** Looked up once for each element of a page, so all of it in one place. */
export function traitsOf(tag: string): TagTraits {
  let traits = known.get(tag);
  if (traits === undefined) {
    const isInline = inlineTags.has(tag);
    traits = {
      role: roleOfTag(tag),
      isInline,
      isCell: tag === "td" || tag === "th",
      isLeaf: leaves.has(tag),
      mayScroll: !isInline && !neverScrolls.has(tag),
      isSpecial: specialTags.has(tag),
      isUndrawn: undrawn.has(tag),
    };
    known.set(tag, traits);
  }
  return traits;
}
