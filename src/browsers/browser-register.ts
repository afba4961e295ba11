/** A browser of this server. */
export interface RegisteredBrowser {
  readonly id: string;
  readonly uid: number | null;
  /** Of its way out to the network; null before it has one. */
  proxyPort: number | null;
}

/**
 * Every browser of this server, from before anything of it exists until nothing of it is left: being
 * launched, warm, in use or being buried. What is found on this machine and not in here has leaked.
 */
export class BrowserRegister {
  readonly #browsers = new Map<string, RegisteredBrowser>();

  enter(id: string, uid: number | null): RegisteredBrowser {
    const browser: RegisteredBrowser = { id, uid, proxyPort: null };
    this.#browsers.set(id, browser);
    return browser;
  }

  /** Strikes out a browser of which nothing is left. */
  strike(id: string): void {
    this.#browsers.delete(id);
  }

  has(id: string): boolean {
    return this.#browsers.has(id);
  }

  hasUid(uid: number): boolean {
    return [...this.#browsers.values()].some((browser) => browser.uid === uid);
  }

  hasProxyPort(port: number): boolean {
    return [...this.#browsers.values()].some((browser) => browser.proxyPort === port);
  }
}
