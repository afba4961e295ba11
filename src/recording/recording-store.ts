/** What became of the recording of a session that has ended. Until then there is no record of it. */
export type RecordingRecord = { readonly sessionId: string } & (
  | ({ readonly status: "ready" } & ReplayRecord)
  /** `error`: why there is no replay, for its owner to read. */
  | { readonly status: "failed"; readonly error: string }
  /** Somebody, or its age, had it removed. */
  | { readonly status: "removed" }
);

/** A replay that can be played. */
export interface ReplayRecord {
  /** When the video begins, epoch ms. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** From when on frames were left out for want of room, epoch ms; null where all were kept. */
  readonly thinnedAt: number | null;
}

export interface RecordingStore {
  /** In the place of what was known of that recording before. */
  save(record: RecordingRecord): Promise<void>;
  find(sessionId: string): Promise<RecordingRecord | null>;
  /** By session; those of which nothing is known are left out. */
  findAll(sessionIds: readonly string[]): Promise<ReadonlyMap<string, RecordingRecord>>;
}
