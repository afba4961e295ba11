import { readFile } from "node:fs/promises";

/** The scripts that run inside pages: one for each folder of src/in-page. */
export type InPageScript = "perception" | "content" | "drawing" | "storage";

const sources = new Map<InPageScript, Promise<string>>();

/** The name under which a script's exports stand on the isolated world's global object. */
export function globalNameOf(script: InPageScript): string {
  return `__nightjar_${script}`;
}

/** An expression that installs a script in the world that evaluates it. Built by `npm run build`. */
export function installerOf(script: InPageScript): Promise<string> {
  let source = sources.get(script);
  if (source === undefined) {
    source = readFile(new URL(`../../../dist/in-page/${script}.js`, import.meta.url), "utf8").then(
      (bundle) => `(() => { ${bundle}\nglobalThis.${globalNameOf(script)} = nightjarBundle; })()`,
    );
    sources.set(script, source);
  }
  return source;
}
