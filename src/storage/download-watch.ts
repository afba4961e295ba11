import type { BrowserDownload } from "../sessions/ports.ts";
import type { StoredFile } from "./file-folder.ts";

/** What became of a download, as far as whoever waits for it can be told. */
export type DownloadOutcome =
  | { readonly kind: "stored"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "failed"; readonly reason: string }
  /** None has begun within the time, or not ended. `begun`: the name of one that goes on. */
  | { readonly kind: "late"; readonly begun: string | null };

type Ended = Exclude<DownloadOutcome, { readonly kind: "late" }>;

export interface DownloadPatience {
  readonly beginTimeoutMs: number;
  /** From the beginning on. */
  readonly endTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** The downloads of a session that begin from one moment on; those of before do not count. */
export class DownloadWatch {
  readonly #names = new Map<string, string>();
  readonly #began = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Ended>();
  readonly #onStop: () => void;

  constructor(onStop: () => void) {
    this.#onStop = onStop;
  }

  /** The names that pages gave those that have begun. */
  get begun(): readonly string[] {
    return [...this.#names.values()];
  }

  began({ id, suggestedName }: BrowserDownload): void {
    this.#names.set(id, suggestedName);
    this.#began.resolve();
  }

  stored({ id }: BrowserDownload, { name, sizeBytes }: StoredFile): void {
    if (this.#names.has(id)) this.#ended.resolve({ kind: "stored", name, sizeBytes });
  }

  failed({ id }: BrowserDownload, reason: string): void {
    if (this.#names.has(id)) this.#ended.resolve({ kind: "failed", reason });
  }

  /** The first one that ends, or `late`. Throws the signal's reason when it is aborted. */
  async first({
    beginTimeoutMs,
    endTimeoutMs,
    signal,
  }: DownloadPatience): Promise<DownloadOutcome> {
    const began = this.#began.promise.then(() => true);
    if (!(await within(began, beginTimeoutMs, false, signal))) return { kind: "late", begun: null };
    const late: DownloadOutcome = { kind: "late", begun: this.begun[0] ?? null };
    return within<DownloadOutcome>(this.#ended.promise, endTimeoutMs, late, signal);
  }

  stop(): void {
    this.#onStop();
  }
}

/** What a promise brings, or `late` after `timeoutMs`. Throws the signal's reason when it is aborted. */
async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  late: T,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const end = Promise.withResolvers<T>();
  const timer = setTimeout(() => end.resolve(late), timeoutMs);
  const abort = (): void => end.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, end.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
