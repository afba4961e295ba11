import { appendFile, readdir } from "node:fs/promises";
import type { RecordingFolder } from "./recording-folder.ts";

/** How long an entry waits for others before it is written, in ms: what a crash may lose. */
const flushEveryMs = 500;

export interface LogLimits {
  /** Of one file, in bytes; another one is begun then. */
  readonly batchBytes: number;
  /** Of all files of the log together, in bytes. */
  readonly totalBytes: number;
}

/** The number of a file of a log, e.g. 3 of `network-0003.ndjson`; null for other files. */
export function batchNumber(logName: string, fileName: string): number | null {
  const match = /^([a-z]+)-(\d{4})\.ndjson$/.exec(fileName);
  return match === null || match[1] !== logName ? null : Number(match[2]);
}

/**
 * Appends entries to a log of a session as lines of JSON, a few hundred milliseconds later at most.
 * The log is a row of files; a process that dies leaves at worst half a line at the end of one, and
 * the next process begins another.
 */
export class LogWriter {
  readonly #folder: RecordingFolder;
  readonly #name: string;
  readonly #limits: LogLimits;
  readonly #onFailure: (error: unknown) => void;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void>;
  #batch = 0;
  #batchBytes = 0;
  #totalBytes = 0;
  #dropped = 0;
  #closed = false;

  constructor(
    folder: RecordingFolder,
    name: string,
    limits: LogLimits,
    onFailure: (error: unknown) => void,
  ) {
    this.#folder = folder;
    this.#name = name;
    this.#limits = limits;
    this.#onFailure = onFailure;
    this.#writing = this.#findLast();
  }

  /** How many entries had no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False where the log is full, and the entry is left out. */
  append(entry: object): boolean {
    const line = `${JSON.stringify(entry)}\n`;
    if (this.#closed || this.#totalBytes + line.length > this.#limits.totalBytes) {
      this.#dropped += 1;
      return false;
    }
    this.#totalBytes += line.length;
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.#flush(), flushEveryMs);
    return true;
  }

  /** Writes what waits; resolves when it is written. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length === 0) return;
    this.#writing = this.#writing.then(() => this.#write(lines)).catch(this.#onFailure);
  }

  async #write(lines: readonly string[]): Promise<void> {
    if (this.#batchBytes > this.#limits.batchBytes) {
      this.#batch += 1;
      this.#batchBytes = 0;
    }
    const bytes = Buffer.from(lines.join(""));
    this.#batchBytes += bytes.length;
    const name = `${this.#name}-${String(this.#batch).padStart(4, "0")}.ndjson`;
    await appendFile(this.#folder.file(name), bytes, { mode: 0o600 });
  }

  /** A file of a process before this one may end in half a line. */
  async #findLast(): Promise<void> {
    const names = await readdir(this.#folder.directory).catch(() => []);
    const numbers = names.map((name) => batchNumber(this.#name, name) ?? 0);
    this.#batch = Math.max(0, ...numbers) + 1;
  }
}
