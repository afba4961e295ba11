import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** A file of the built console, ready to be sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly content: Buffer;
  /** The same, compressed; null where that would not make it smaller. */
  readonly brotli: Buffer | null;
  readonly gzip: Buffer | null;
  readonly etag: string;
  /** Its name changes with its content, so it may be kept for good. */
  readonly isImmutable: boolean;
}

/** The built console: its files by their path below `/console/`. */
export interface ConsoleFiles {
  readonly page: ConsoleFile;
  /** Digests of the page's inline scripts, as a Content-Security-Policy names them. */
  readonly inlineScripts: readonly string[];
  readonly files: ReadonlyMap<string, ConsoleFile>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const pageName = "index.html";

/**
 * Reads the built console into memory: about a megabyte, and no request can reach the file system.
 * Null where it was not built.
 */
export async function readConsole(directory: string): Promise<ConsoleFiles | null> {
  const names = await namesIn(directory);
  const files = new Map<string, ConsoleFile>();
  for (const name of names) {
    const type = types[path.extname(name)];
    if (type === undefined) continue;
    const file = path.join(directory, name);
    const content = await readFile(file);
    files.set(name, {
      type,
      content,
      brotli: names.has(`${name}.br`) ? await readFile(`${file}.br`) : null,
      gzip: names.has(`${name}.gz`) ? await readFile(`${file}.gz`) : null,
      etag: `"${createHash("sha256").update(content).digest("base64url").slice(0, 27)}"`,
      isImmutable: name.startsWith("assets/"),
    });
  }
  const page = files.get(pageName);
  if (page === undefined) return null;
  return { page, files, inlineScripts: inlineScriptsOf(page.content.toString("utf8")) };
}

async function namesIn(directory: string): Promise<ReadonlySet<string>> {
  try {
    const entries = await readdir(directory, { withFileTypes: true, recursive: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
    return new Set(paths.map((name) => name.split(path.sep).join("/")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Set();
    throw error;
  }
}

function inlineScriptsOf(html: string): readonly string[] {
  return [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
}
