import { type FileHandle, open } from "node:fs/promises";
import { frameRecord } from "./frame-file.ts";
import { framesName } from "./recording-files.ts";
import type { RecordingFolder } from "./recording-folder.ts";

/** So much is encoded at once: some 50 pictures, a second or two of work. */
const fileBytes = 4 * 1024 * 1024;

/** What may wait to be written before frames are left out: a disk that is slow must not fill the memory. */
const mostWaitingBytes = 8 * 1024 * 1024;

/** What was written is on the disk itself so soon, in ms, even if the machine loses its power. */
const syncAfterMs = 1000;

/** How long after a failed write, e.g. to a full disk, the next one is tried, in ms. */
const pauseMs = 10_000;

export interface FrameWriterOptions {
  readonly folder: RecordingFolder;
  /** Of the first file. */
  readonly firstNumber: number;
  /** Called when a file is complete. */
  readonly onFile: (number: number) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Appends frames to files, one after the other, in the order they are given. */
export class FrameWriter {
  readonly #options: FrameWriterOptions;
  #number: number;
  #file: FileHandle | null = null;
  #fileBytes = 0;
  #waitingBytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #syncTimer: NodeJS.Timeout | null = null;
  /** On the monotonic clock, in ms. */
  #pausedUntil = 0;
  #closed = false;

  constructor(options: FrameWriterOptions) {
    this.#options = options;
    this.#number = options.firstNumber;
  }

  /** Answers how many bytes it takes; 0 where it cannot be taken now. */
  write(at: number, jpeg: Buffer): number {
    if (this.#closed || performance.now() < this.#pausedUntil) return 0;
    const record = frameRecord(at, jpeg);
    const bytes = record[0].length + jpeg.length;
    if (this.#waitingBytes + bytes > mostWaitingBytes) return 0;
    this.#waitingBytes += bytes;
    this.#turn = this.#turn
      .then(() => this.#append(record))
      .finally(() => {
        this.#waitingBytes -= bytes;
      });
    return bytes;
  }

  /** Resolves when all of it is on the disk. Nothing is taken afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    await this.#finishFile();
  }

  async #append(record: readonly Buffer[]): Promise<void> {
    // Those that were taken before the write that failed.
    if (performance.now() < this.#pausedUntil) return;
    try {
      this.#file ??= await open(this.#options.folder.file(framesName(this.#number)), "ax", 0o600);
      this.#fileBytes += await writeAll(this.#file, record);
    } catch (error) {
      this.#options.onFailure(error);
      this.#pausedUntil = performance.now() + pauseMs;
      // Half a record may stand at its end: nothing could be read that came after it.
      await this.#finishFile();
      return;
    }
    if (this.#fileBytes >= fileBytes) await this.#finishFile();
    else this.#syncTimer ??= setTimeout(() => this.#sync(), syncAfterMs).unref();
  }

  #sync(): void {
    this.#syncTimer = null;
    this.#file?.datasync().catch(() => {});
  }

  async #finishFile(): Promise<void> {
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    this.#syncTimer = null;
    const [file, number] = [this.#file, this.#number];
    if (file === null) return;
    this.#file = null;
    this.#fileBytes = 0;
    this.#number += 1;
    await file.datasync().catch(this.#options.onFailure);
    await file.close().catch(this.#options.onFailure);
    this.#options.onFile(number);
  }
}

async function writeAll(file: FileHandle, record: readonly Buffer[]): Promise<number> {
  const total = record.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await file.writev([...record]);
  if (bytesWritten < total) throw new Error(`only ${bytesWritten} of ${total} bytes were written`);
  return total;
}
