/** A download that an action waits for. */
export type DownloadOutcome =
  | { readonly kind: "stored"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "failed"; readonly reason: string }
  /** Nothing has begun, or not ended, within the time. */
  | { readonly kind: "late"; readonly begun: string | null };

/** The downloads of a session from one moment on. */
export interface DownloadWatch {
  /** Suggested names of those that have begun. */
  readonly begun: readonly string[];
  /** Settles with the first one that ends, or when `beginTimeoutMs` pass without one, or `signal` is aborted. */
  first(options: {
    readonly beginTimeoutMs: number;
    readonly endTimeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<DownloadOutcome>;
  stop(): void;
}

/** The files of one session, as far as its pages may use them. */
export interface SessionFiles {
  /** Where an uploaded file of the session's tenant lies; null where there is none of that name. */
  uploadPath(name: string): Promise<string | null>;
  uploadNames(): Promise<readonly string[]>;
  watchDownloads(): DownloadWatch;
  /** A file among the session's downloads; null where there is none of that name. */
  download(name: string): Promise<{ readonly path: string; readonly sizeBytes: number } | null>;
  /** Keeps bytes that a page showed instead of downloading them; answers the name they are kept under. */
  keep(name: string, content: Buffer): Promise<string>;
}
