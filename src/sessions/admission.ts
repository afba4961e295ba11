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
    const ahead = [...this.#entering];
    this.#entering.add(entry);
    try {
      await this.#checkRoom(entry.tenantId, ahead);
      return await start();
    } finally {
      this.#entering.delete(entry);
    }
  }

  async #checkRoom(tenantId: string, ahead: readonly Entry[]): Promise<void> {
    const { maxSessions, maxSessionsPerTenant } = this.#limits;
    const onNode = new Set(await this.#store.activeIds({ nodeId: this.#nodeId }));
    for (const entry of ahead) onNode.add(entry.sessionId);
    if (onNode.size >= maxSessions) {
      throw new NightjarError(
        "at_capacity",
        `This host runs ${maxSessions} sessions, as many as it may hold. Stop one, or try again in ${retryAfterSeconds} seconds.`,
        { retryAfterSeconds },
      );
    }
    if (maxSessionsPerTenant === null) return;
    const ofTenant = new Set(await this.#store.activeIds({ tenantId }));
    for (const entry of ahead) if (entry.tenantId === tenantId) ofTenant.add(entry.sessionId);
    if (ofTenant.size >= maxSessionsPerTenant) {
      throw new NightjarError(
        "tenant_limit",
        `You run ${maxSessionsPerTenant} sessions, as many as one tenant may hold here. Stop one, or try again in ${retryAfterSeconds} seconds.`,
        { retryAfterSeconds },
      );
    }
  }
}
