import { type Allowance, type ErrorCode, NightjarError } from "./errors.ts";
import type { HostReserve, Shortage } from "./host-room.ts";
import type { ActiveWhere, SessionStore } from "./ports.ts";
import { StartRates } from "./start-rates.ts";

export interface StartLimits {
  /** Active sessions that this host may hold. */
  readonly maxSessions: number;
  /** What must stay free on this host beside its sessions. */
  readonly reserve: HostReserve;
  /** Active sessions that one tenant may hold; here and below null is no limit of its own. */
  readonly maxSessionsPerTenant: number | null;
  /** Active sessions that one API key may have started. */
  readonly maxSessionsPerKey: number | null;
  readonly startsPerMinutePerTenant: number | null;
  readonly startsPerMinutePerKey: number | null;
}

/** One who wants to start a session. */
export interface Entry {
  readonly sessionId: string;
  readonly tenantId: string;
  readonly apiKeyId: string;
}

/** Why someone is not let in. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly why: string;
  readonly allowance: Allowance;
}

/** How soon a refused client may try again, in s: about as long as a short session lives. */
const retryAfterSeconds = 5;

/** The host has no room, for whomever. */
export function hostIsFull(limits: StartLimits, shortage: Shortage, now: number): Refusal {
  const why = {
    sessions: `This host runs ${limits.maxSessions} sessions, as many as it may hold.`,
    memory: "This host has no memory for one more session.",
    disk: "This host has no space on its disk for one more session.",
  }[shortage];
  return { code: "at_capacity", why, allowance: usedUp(limits.maxSessions, now) };
}

/** The limits of a tenant and of a key of their own, whatever room the host has. */
export class OwnLimits {
  readonly #limits: StartLimits;
  readonly #ofTenants: StartRates | null;
  readonly #ofKeys: StartRates | null;

  constructor(limits: StartLimits) {
    this.#limits = limits;
    const { startsPerMinutePerTenant: ofTenant, startsPerMinutePerKey: ofKey } = limits;
    this.#ofTenants = ofTenant === null ? null : new StartRates(ofTenant);
    this.#ofKeys = ofKey === null ? null : new StartRates(ofKey);
  }

  /** What is left of the limit on starts a minute, the tighter of both; null where there is none. */
  allowance({ tenantId, apiKeyId }: Pick<Entry, "tenantId" | "apiKeyId">, now: number) {
    return tighter(
      this.#ofTenants?.allowance(tenantId, now) ?? null,
      this.#ofKeys?.allowance(apiKeyId, now) ?? null,
    );
  }

  /** Counts a start against the limits on starts a minute. */
  count({ tenantId, apiKeyId }: Entry, now: number): void {
    this.#ofTenants?.count(tenantId, now);
    this.#ofKeys?.count(apiKeyId, now);
  }

  /** Null where another start is within the limits on starts a minute. */
  tooManyStarts(entry: Entry, now: number): Refusal | null {
    const allowance = this.allowance(entry, now);
    if (allowance === null || allowance.remaining > 0) return null;
    return {
      code: "too_many_starts",
      why: `You have started ${allowance.limit} sessions within a minute, as many as you may.`,
      allowance,
    };
  }

  /** Null where nothing keeps the tenant or the key from one more session. */
  async refusal(entry: Entry, counts: ActiveCounts, now: number): Promise<Refusal | null> {
    const { maxSessionsPerTenant: ofTenant, maxSessionsPerKey: ofKey } = this.#limits;
    const { tenantId, apiKeyId } = entry;
    if (ofTenant !== null && (await counts.of({ tenantId })) >= ofTenant) {
      const why = `You run ${ofTenant} sessions, as many as one tenant may hold here.`;
      return { code: "tenant_limit", why, allowance: usedUp(ofTenant, now) };
    }
    if (ofKey !== null && (await counts.of({ apiKeyId })) >= ofKey) {
      const why = `This API key runs ${ofKey} sessions, as many as one key may hold here.`;
      return { code: "tenant_limit", why, allowance: usedUp(ofKey, now) };
    }
    return this.tooManyStarts(entry, now);
  }
}

type OwnWhere = Exclude<ActiveWhere, { readonly nodeId: string }>;

/** How many sessions tenants and keys have: each is read once, and kept up to date for one look. */
export class ActiveCounts {
  readonly #store: SessionStore;
  readonly #entering: ReadonlySet<Entry>;
  readonly #read = new Map<string, { readonly where: OwnWhere; readonly ids: Set<string> }>();

  constructor(store: SessionStore, entering: ReadonlySet<Entry>) {
    this.#store = store;
    this.#entering = entering;
  }

  async of(where: OwnWhere): Promise<number> {
    const name = JSON.stringify(where);
    const known = this.#read.get(name);
    if (known !== undefined) return known.ids.size;
    // Before the rows are read: what is starting then is in one of the two, or in both.
    const starting = [...this.#entering].filter((entry) => belongsTo(entry, where));
    const rows = await this.#store.activeSince(where);
    const ids = new Set([...rows.keys(), ...starting.map(({ sessionId }) => sessionId)]);
    this.#read.set(name, { where, ids });
    return ids.size;
  }

  /** One more was let in. */
  add(entry: Entry): void {
    for (const { where, ids } of this.#read.values()) {
      if (belongsTo(entry, where)) ids.add(entry.sessionId);
    }
  }
}

/** What the one who is refused is told, after so long a wait. */
export function refusalError(refusal: Refusal, waitedMs: number, now: number): NightjarError {
  const { code, why, allowance } = refusal;
  const known = code === "too_many_starts";
  const seconds = known
    ? Math.max(1, Math.ceil((allowance.resetAt - now) / 1000))
    : retryAfterSeconds;
  const waited = waitedMs < 1000 ? "" : ` It waited ${Math.round(waitedMs / 1000)} s for room.`;
  const remedy = known ? "Try again" : "Stop one, or try again";
  return new NightjarError(code, `${why}${waited} ${remedy} in ${seconds} seconds.`, {
    retryAfterSeconds: seconds,
    allowance: { ...allowance, resetAt: now + seconds * 1000 },
  });
}

export function shuttingDown(): NightjarError {
  return new NightjarError("shutting_down", "This server is stopping; try another one.", {
    retryAfterSeconds,
  });
}

function belongsTo(entry: Entry, where: OwnWhere): boolean {
  return "tenantId" in where
    ? entry.tenantId === where.tenantId
    : entry.apiKeyId === where.apiKeyId;
}

function usedUp(limit: number, now: number): Allowance {
  return { limit, remaining: 0, resetAt: now + retryAfterSeconds * 1000 };
}

function tighter(one: Allowance | null, other: Allowance | null): Allowance | null {
  if (one === null || other === null) return one ?? other;
  if (one.remaining !== other.remaining) return one.remaining < other.remaining ? one : other;
  return one.resetAt > other.resetAt ? one : other;
}
