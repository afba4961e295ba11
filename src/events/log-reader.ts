/** Where a reader has its events from, and what it does with them. */
export interface ReadLog<E extends { readonly id: number }> {
  /** The events after a number; null where some of them are not known any more. */
  after(id: number): readonly E[] | null;
  /** Hands on one event; resolves when the next one may come. */
  deliver(event: E): Promise<void>;
  /**
   * Hands on how things are, without a number (null) or where events after it are not known any more.
   * Answers the number that events are delivered after from then on; null when there are none to come.
   */
  catchUp(after: number | null): Promise<number | null>;
  /** All that is known has been handed on. */
  onIdle?(): void;
}

/**
 * Hands the events of a log on, one after the other, as fast as they are taken. What comes meanwhile
 * stays in the log: so who takes them slowly, or not at all, has no queue that grows.
 */
export class LogReader<E extends { readonly id: number }> {
  readonly #log: ReadLog<E>;
  #position: number | null;
  #reading = false;
  #stopped = false;

  /** `after`: the number of the last event that was seen; null where there is none. */
  constructor(log: ReadLog<E>, after: number | null) {
    this.#log = log;
    this.#position = after;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** There may be events to hand on. */
  wake(): void {
    if (this.#reading || this.#stopped) return;
    this.#reading = true;
    void this.#read();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      const events = this.#position === null ? null : this.#log.after(this.#position);
      if (events === null) {
        this.#position = await this.#log.catchUp(this.#position);
        if (this.#position === null) this.stop();
      } else if (events.length === 0) {
        this.#reading = false;
        this.#log.onIdle?.();
        return;
      } else await this.#deliver(events);
    }
  }

  async #deliver(events: readonly E[]): Promise<void> {
    for (const event of events) {
      if (this.#stopped) return;
      await this.#log.deliver(event);
      this.#position = event.id;
    }
  }
}
