import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { batchNumber } from "./log-writer.ts";

/** A file of a log. */
export interface LogBatch {
  /** Its name, e.g. `network-0001.ndjson`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
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

/** The entries of a log, oldest first, one line in memory at a time. Half a line is passed over. */
export async function* logEntries(directory: string, logName: string): AsyncGenerator<unknown> {
  for (const { path: file } of await logBatches(directory, logName)) {
    const lines = createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    for await (const line of lines) {
      const entry = parseLine(line);
      if (entry !== null) yield entry;
    }
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
