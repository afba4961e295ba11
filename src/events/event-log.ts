/** The last events of one source, numbered, and whoever follows them. */
export class EventLog<T extends object> {
  readonly #now: () => number;
  readonly #mostKept: number;
  readonly #listeners = new Set<(event: T & { readonly id: number }) => void>();
  #kept: (T & { readonly id: number })[] = [];
  /** Events up to this number may have been dropped, or were another process's. */
  #completeSince: number;
  #lastId: number;

  /**
   * `now`: epoch ms. Numbers are times, moved on where two events share one: so they rise across
   * restarts of the process without being stored.
   */
  constructor(now: () => number, mostKept: number) {
    this.#now = now;
    this.#mostKept = mostKept;
    this.#lastId = now();
    this.#completeSince = this.#lastId;
  }

  /** The number of the latest event, or one that is lower than all to come. */
  get lastId(): number {
    return this.#lastId;
  }

  /** `leastId`: the number is at least so high. */
  append(event: T, leastId = 0): void {
    const id = Math.max(this.#lastId + 1, this.#now(), leastId);
    this.#lastId = id;
    const numbered = { ...event, id };
    this.#kept.push(numbered);
    if (this.#kept.length > this.#mostKept) {
      this.#completeSince = this.#kept.shift()?.id ?? this.#completeSince;
    }
    for (const listener of [...this.#listeners]) listener(numbered);
  }

  /** The events after a number; null where some of them are not kept any more. */
  after(id: number): readonly (T & { readonly id: number })[] | null {
    if (id < this.#completeSince || id > this.#lastId) return null;
    return this.#kept.filter((event) => event.id > id);
  }

  /** Calls back for the events to come; returns the way to stop. */
  follow(listener: (event: T & { readonly id: number }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
