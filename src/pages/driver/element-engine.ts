import type { BrowserContext } from "playwright-core";
import { globalNameOf } from "./in-page-scripts.ts";

/** `nightjar=<key>` is the element that the perception script knows by that key. */
const engineName = "nightjar";
/** `<selector> >> nightjar-note=<token>` has the script note the first match of the selector under the token. */
const noteEngineName = "nightjar-note";

/** What Playwright's client says to its own server part; not in its public types. */
interface WithChannel {
  readonly _channel: {
    registerSelectorEngine(
      params: {
        readonly selectorEngine: {
          readonly name: string;
          readonly source: string;
          readonly contentScript: boolean;
        };
      },
      options: { readonly timeout: number },
    ): Promise<void>;
  };
}

/**
 * Teaches a context the engines that find exactly the element that an observation named, however
 * the page has moved it since. They run in the isolated world that holds the perception script.
 *
 * Goes past Playwright's `selectors.register`, which does not reach contexts of `connectOverCDP`
 * that connect later (as of 1.65), and keeps each registration for the life of the process.
 */
export async function registerElementEngine(context: BrowserContext): Promise<void> {
  const script = `globalThis.${globalNameOf("perception")}`;
  const find = `${script}?.elementByKey(selector)`;
  await register(
    context,
    engineName,
    `({
      query(root, selector) { return ${find} ?? null; },
      queryAll(root, selector) { const element = ${find}; return element ? [element] : []; },
    })`,
  );
  const note = `${script}?.note(selector, root)`;
  await register(
    context,
    noteEngineName,
    `({
      query(root, selector) { ${note}; return root; },
      queryAll(root, selector) { ${note}; return [root]; },
    })`,
  );
}

function register(context: BrowserContext, name: string, source: string): Promise<void> {
  return (context as unknown as WithChannel)._channel.registerSelectorEngine(
    { selectorEngine: { name, source, contentScript: true } },
    { timeout: 0 },
  );
}

/** Chained to another selector, has the perception script note that one's first match. */
export function notingSelector(token: string): string {
  return `${noteEngineName}=${token}`;
}

/** The selector of the element with this key, within its frame. */
export function selectorOfKey(key: string): string {
  return `${engineName}=${key}`;
}
