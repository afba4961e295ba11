import { NightjarError } from "./errors.ts";
import type { SessionStore } from "./ports.ts";

export interface AdmissionLimits {
  /** Active sessions that this host may hold. */
  readonly maxSessions: number;
  /** Active sessions that one tenant may hold; null for no limit of its own. */
  readonly maxSessionsPerTenant: number | null;
}

/** How soon a refused client may try again: about as long as a short session lives. */
const retryAfterSeconds = 5;

interface Entry {
  readonly sessionId: string;
  readonly tenantId: string;
}

/**
 * Decides whether one more session may start. What runs is read from the store's rows, and what is
 * just starting from the starts that are really under way: sets of ids, so nothing is counted twice
 * and no counter can drift.
 */
export class Admission {
  readonly #store: SessionStore;
  readonly #nodeId: string;
  readonly #limits: AdmissionLimits;
  readonly #entering = new Set<Entry>();
  #lastCheck: Promise<unknown> = Promise.resolve();

  constructor(store: SessionStore, nodeId: string, limits: AdmissionLimits) {
    this.#store = store;
    this.#nodeId = nodeId;
    this.#limits = limits;
  }

  /**
   * Runs `start` if there is room for this session, and holds the room while it runs.
   * Throws `at_capacity` or `tenant_limit`.
   */
  async admit<T>(entry: Entry, start: () => Promise<T>): Promise<T> {
    // One check after the other: who is refused must not have counted against the next.
    const check = this.#lastCheck.then(async () => {
      await this.#checkRoom(entry.tenantId);
      this.#entering.add(entry);
    });
    this.#lastCheck = check.catch(() => {});
    await check;
    try {
      return await start();
    } finally {
      this.#entering.delete(entry);
    }
  }

  async #checkRoom(tenantId: string): Promise<void> {
    const { maxSessions, maxSessionsPerTenant } = this.#limits;
    if ((await this.#running({ nodeId: this.#nodeId }, () => true)).size >= maxSessions) {
      throw new NightjarError(
        "at_capacity",
        `This host runs ${maxSessions} sessions, as many as it may hold. Stop one, or try again in ${retryAfterSeconds} seconds.`,
        { retryAfterSeconds },
      );
    }
    if (maxSessionsPerTenant === null) return;
    const ofTenant = await this.#running({ tenantId }, (entry) => entry.tenantId === tenantId);
    if (ofTenant.size >= maxSessionsPerTenant) {
      throw new NightjarError(
        "tenant_limit",
        `You run ${maxSessionsPerTenant} sessions, as many as one tenant may hold here. Stop one, or try again in ${retryAfterSeconds} seconds.`,
        { retryAfterSeconds },
      );
    }
  }

  /** Ids of sessions with a row, and of those just starting before or after the rows were read. */
  async #running(
    where: { readonly nodeId: string } | { readonly tenantId: string },
    counts: (entry: Entry) => boolean,
  ): Promise<ReadonlySet<string>> {
    const before = [...this.#entering];
    const ids = new Set(await this.#store.activeIds(where));
    for (const entry of before) if (counts(entry)) ids.add(entry.sessionId);
    return ids;
  }
}
