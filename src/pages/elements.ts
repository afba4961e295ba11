import type { FrameLocator, Locator, Page } from "playwright-core";
import { selectorOfKey } from "./driver/element-engine.ts";

/** Ways to find an element again without this server's ids. */
export interface ElementSelectors {
  /** Relative to the innermost frame or shadow root chain; null where none is unique. */
  readonly css: string | null;
  readonly xpath: string | null;
  /** For `page.locator()`, e.g. `internal:role=button[name="Save"i]`. */
  readonly playwright: string | null;
  /** CSS selectors of the iframes around it, outermost first. */
  readonly frames: readonly string[];
  readonly inShadowRoot: boolean;
}

/** An element that an observation named. */
export interface KnownElement {
  /** A letter for its kind and a number, e.g. `B12`; never given to another element of the session. */
  readonly id: string;
  /** CDP's id of the tab. */
  readonly targetId: string;
  /** Keys of the iframe elements around it, outermost first, each in the frame that holds it. */
  readonly frameKeys: readonly string[];
  /** Its key in its own frame: see `src/in-page/perception/registry.ts`. */
  readonly key: string;
  readonly role: string;
  /** Its accessible name; may be empty. */
  readonly name: string;
  readonly selectors: ElementSelectors;
}

/** The elements that observations of one session named, by id. */
export interface ElementDirectory {
  /** Null for an id that no observation gave. The element may have gone since. */
  find(id: string): KnownElement | null;
}

/** The element itself, whatever moved around it; matches nothing once it is gone. */
export function locatorOf(page: Page, element: Pick<KnownElement, "frameKeys" | "key">): Locator {
  let scope: Page | FrameLocator = page;
  for (const key of element.frameKeys) scope = scope.locator(selectorOfKey(key)).contentFrame();
  return scope.locator(selectorOfKey(element.key));
}
