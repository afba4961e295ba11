import type { CdpBrowserWatch } from "./browser-watch.ts";

/** The one watch of a browser, for all who look at it: opened when it is asked for, and anew when it broke. */
export class SharedWatch {
  readonly #open: () => Promise<CdpBrowserWatch>;
  #watch: Promise<CdpBrowserWatch> | null = null;

  constructor(open: () => Promise<CdpBrowserWatch>) {
    this.#open = open;
  }

  /** Throws what opening it throws. */
  async get(): Promise<CdpBrowserWatch> {
    const known = this.#watch;
    const watch = await known?.catch(() => null);
    if (watch?.open === true) return watch;
    // Others waited, too: one of them may have begun another, and nobody would close two.
    if (this.#watch !== known) return this.get();
    const opening = this.#open();
    this.#watch = opening;
    return opening;
  }

  /** Closes it, also one that is just being opened. Who asks later gets another. */
  async close(): Promise<void> {
    const closing = this.#watch;
    this.#watch = null;
    const watch = await closing?.catch(() => null);
    watch?.close();
  }
}
