import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import path from "node:path";

/** A file of a log. */
export interface LogBatch {
  /** Its name, e.g. `network-0001.ndjson`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** Where a line stands: in bytes, without the break at its end. */
export interface LinePlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export interface LoggedLine {
  readonly entry: unknown;
  readonly place: LinePlace;
}

/** How much of a file is read at once, in bytes. */
const chunkBytes = 256 * 1024;

/** The number of a file of a log, e.g. 3 of `network-0003.ndjson`; null for other files. */
export function batchNumber(logName: string, file: string): number | null {
  const match = /^([a-z]+)-(\d{4})\.ndjson$/.exec(path.basename(file));
  return match === null || match[1] !== logName ? null : Number(match[2]);
}

/** The files of a log, oldest first; none where there is no such log. */
export async function logBatches(directory: string, logName: string): Promise<readonly LogBatch[]> {
  const names = await readdir(directory).catch(() => []);
  const batches = await Promise.all(
    names
      .filter((name) => batchNumber(logName, name) !== null)
      .sort()
      .map(async (name) => {
        const file = path.join(directory, name);
        const found = await stat(file).catch(() => null);
        return found === null ? null : { name, path: file, sizeBytes: found.size };
      }),
  );
  return batches.filter((batch) => batch !== null);
}

/**
 * The lines of a log, oldest first, a piece of a file in memory at a time. Half a line, as a crash
 * leaves it, is passed over, and so are lines that do not begin as asked, without being read.
 */
export async function* loggedLines(
  directory: string,
  logName: string,
  { beginsWith = "" }: { readonly beginsWith?: string } = {},
): AsyncGenerator<LoggedLine> {
  for (const { path: file } of await logBatches(directory, logName)) {
    const handle = await openIfThere(file);
    if (handle === null) continue;
    try {
      yield* linesOf(handle, file, Buffer.from(beginsWith));
    } finally {
      await handle.close();
    }
  }
}

/** The lines at these places, in this order, one in memory at a time. Lines that are gone are left out. */
export async function* entriesAt(places: Iterable<LinePlace>): AsyncGenerator<unknown> {
  const handles = new Map<string, FileHandle | null>();
  try {
    for (const { file, offset, length } of places) {
      if (!handles.has(file)) handles.set(file, await openIfThere(file));
      const handle = handles.get(file) ?? null;
      if (handle === null) continue;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
      const entry = bytesRead === length ? parsed(buffer) : undefined;
      if (entry !== undefined) yield entry;
    }
  } finally {
    for (const handle of handles.values()) await handle?.close();
  }
}

/** What a line says of entries that had no room: how many so far; 0 for all other lines. */
export function droppedBy(entry: unknown): number {
  if (typeof entry !== "object" || entry === null || !("dropped" in entry)) return 0;
  return typeof entry.dropped === "number" ? entry.dropped : 0;
}

async function* linesOf(
  handle: FileHandle,
  file: string,
  beginning: Buffer,
): AsyncGenerator<LoggedLine> {
  let rest = Buffer.alloc(0);
  /** Where `rest` begins in the file. */
  let offset = 0;
  for (;;) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null);
    if (bytesRead === 0) return;
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    let begin = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, begin)) {
      const line = bytes.subarray(begin, end);
      const isAsked = line.subarray(0, beginning.length).equals(beginning);
      const entry = isAsked ? parsed(line) : undefined;
      const place = { file, offset: offset + begin, length: end - begin };
      begin = end + 1;
      if (entry !== undefined) yield { entry, place };
    }
    rest = bytes.subarray(begin);
    offset += begin;
  }
}

async function openIfThere(file: string): Promise<FileHandle | null> {
  return open(file).catch(() => null);
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    return undefined;
  }
}
