/**
 * Schemes of what a browser keeps or finds on its own machine: files, and its own pages, which show
 * paths, change where downloads go, load extensions and save files anywhere.
 */
const localSchemes: ReadonlySet<string> = new Set([
  "file:",
  "chrome:",
  "chrome-untrusted:",
  "chrome-search:",
  "chrome-extension:",
  "chrome-distiller:",
  "isolated-app:",
  "devtools:",
]);

const wrappingSchemes: ReadonlySet<string> = new Set(["view-source:", "filesystem:", "blob:"]);

/**
 * The scheme of a URL that leads to the browser's own machine, e.g. `file:`, also behind
 * `view-source:` and the like; null for all others and for what is no URL. Chromium reads URLs as the
 * URL standard does.
 */
export function localSchemeOf(url: unknown): string | null {
  if (typeof url !== "string") return null;
  const parsed = URL.parse(url);
  if (parsed === null) return null;
  if (localSchemes.has(parsed.protocol)) return parsed.protocol;
  return wrappingSchemes.has(parsed.protocol) ? localSchemeOf(parsed.pathname) : null;
}
