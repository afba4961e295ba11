import { appendFile } from "node:fs/promises";
import { batchNumber, droppedBy, logBatches, loggedLines } from "./log-reader.ts";
import type { RecordingFolder } from "./recording-folder.ts";

/** How long an entry waits for others before it is written, in ms: what a crash may lose. */
const flushEveryMs = 500;

export interface LogLimits {
  /** Of one file, in bytes; another one is begun then. */
  readonly batchBytes: number;
  /** Of all files of the log together, in bytes. */
  readonly totalBytes: number;
  /** Of all lines of the log together. */
  readonly totalLines: number;
}

export interface LogWriterOptions {
  readonly folder: RecordingFolder;
  /** E.g. `network`. */
  readonly name: string;
  readonly limits: LogLimits;
  /** Called for every entry that an earlier process wrote, oldest first. */
  readonly onEntry: (entry: unknown) => void;
  /** Told once of each time that entries cannot be written. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Appends entries to a log of a session as lines of JSON, a few hundred milliseconds later at most.
 * The log is a row of files; a process that dies leaves at worst half a line at the end of one, and
 * the next process begins another. Entries that have no room are counted, and lines say how many.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #waiting: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #batch = 1;
  #batchBytes = 0;
  #totalBytes = 0;
  #totalLines = 0;
  #dropped = 0;
  #droppedTold = 0;
  #failing = false;
  #closed = false;

  private constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Takes up the log where an earlier process left it. */
  static async open(options: LogWriterOptions): Promise<LogWriter> {
    const writer = new LogWriter(options);
    const { folder, name, onEntry } = options;
    for (const batch of await logBatches(folder.directory, name)) {
      // It may end in half a line.
      writer.#batch = (batchNumber(name, batch.name) ?? 0) + 1;
      writer.#totalBytes += batch.sizeBytes;
    }
    for await (const { entry } of loggedLines(folder.directory, name)) {
      writer.#totalLines += 1;
      writer.#dropped = Math.max(writer.#dropped, droppedBy(entry));
      onEntry(entry);
    }
    writer.#droppedTold = writer.#dropped;
    return writer;
  }

  /** How many entries had no room, those of earlier processes included. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False where the log is full, and the entry is left out. */
  append(entry: object): boolean {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    const { totalBytes, totalLines } = this.#options.limits;
    if (
      this.#closed ||
      this.#totalBytes + line.length > totalBytes ||
      this.#totalLines >= totalLines
    ) {
      this.#dropped += 1;
      if (this.#droppedTold === 0) this.tellDropped();
      return false;
    }
    this.#totalBytes += line.length;
    this.#totalLines += 1;
    this.#add(line);
    return true;
  }

  /** Writes down how many entries had no room so far. */
  tellDropped(): void {
    if (this.#dropped === this.#droppedTold) return;
    this.#droppedTold = this.#dropped;
    this.#add(Buffer.from(`${JSON.stringify({ dropped: this.#dropped, at: Date.now() })}\n`));
  }

  /** Resolves when everything that was appended is written. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#waiting;
    this.#waiting = [];
    if (lines.length > 0) this.#writing = this.#writing.then(() => this.#write(lines));
    await this.#writing;
  }

  /** Writes what waits; resolves when it is written. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.tellDropped();
    await this.flush();
  }

  #add(line: Buffer): void {
    this.#waiting.push(line);
    this.#timer ??= setTimeout(() => void this.flush(), flushEveryMs);
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    let written = 0;
    try {
      while (written < lines.length) {
        if (this.#batchBytes >= this.#options.limits.batchBytes) this.#beginBatch();
        const fitting = this.#fitting(lines.slice(written));
        await appendFile(this.#file, Buffer.concat(fitting), { mode: 0o600 });
        this.#batchBytes += fitting.reduce((sum, { length }) => sum + length, 0);
        written += fitting.length;
      }
      this.#failing = false;
    } catch (error) {
      this.#dropped += lines.length - written;
      // What was written of them may end in half a line.
      this.#beginBatch();
      if (!this.#failing) this.#options.onFailure(error);
      this.#failing = true;
    }
  }

  /** The first lines, up to the size of a batch; one at least. */
  #fitting(lines: readonly Buffer[]): readonly Buffer[] {
    let bytes = this.#batchBytes;
    const end = lines.findIndex(({ length }) => {
      bytes += length;
      return bytes > this.#options.limits.batchBytes;
    });
    return end === -1 ? lines : lines.slice(0, Math.max(1, end));
  }

  #beginBatch(): void {
    this.#batch += 1;
    this.#batchBytes = 0;
  }

  get #file(): string {
    const { folder, name } = this.#options;
    return folder.file(`${name}-${String(this.#batch).padStart(4, "0")}.ndjson`);
  }
}
