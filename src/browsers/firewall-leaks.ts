import type { Leak, LeakFinder } from "../sessions/reconciler.ts";
import type { Firewall } from "./firewall.ts";

/** Asking the system takes a process of its own, about 10 ms: only every so many looks. */
const looksBetween = 12;

/** Whether the firewall was removed behind the server's back, e.g. by a reload of the system's rules. */
export class FirewallLeaks implements LeakFinder {
  readonly #firewall: Firewall;
  #missing = false;
  #look = 0;

  constructor(firewall: Firewall) {
    this.#firewall = firewall;
  }

  async find(): Promise<readonly Leak[]> {
    this.#look = (this.#look + 1) % looksBetween;
    if (this.#look !== 0 && !this.#missing) return [];
    this.#missing = !(await this.#firewall.stands());
    if (!this.#missing) return [];
    const repair = (): Promise<void> => this.#firewall.raise();
    return [{ kind: "firewall", name: "table", patienceMs: 0, repair }];
  }
}
