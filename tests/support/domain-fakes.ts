import { setImmediate as nextTurn } from "node:timers/promises";
import type { AdmissionLimits } from "../../src/sessions/admission.ts";
import { defaultBrowserSettings } from "../../src/sessions/browser-settings.ts";
import type {
  ActiveWhere,
  Browser,
  BrowserHost,
  BrowserLoss,
  Clock,
  HostGauge,
  HostReading,
  IdempotencyClaim,
  LoadedProfile,
  SessionListQuery,
  SessionPage,
  SessionProfiles,
  SessionProgress,
  SessionStore,
} from "../../src/sessions/ports.ts";
import type { ProfileSave } from "../../src/sessions/profile.ts";
import {
  type ActiveSession,
  type EndedState,
  isActive,
  type Session,
} from "../../src/sessions/session.ts";
import { noTraffic, type Traffic } from "../../src/sessions/traffic.ts";

/** An active session with whatever a test cares about changed. */
export function makeSession(changes: Partial<ActiveSession> = {}): ActiveSession {
  return {
    id: crypto.randomUUID(),
    tenantId: "tenant",
    apiKeyId: "key",
    nodeId: "node",
    browserReference: "browser",
    settings: defaultBrowserSettings,
    createdAt: 1_000_000,
    lastAccessedAt: 1_000_000,
    idleTimeoutMinutes: 3,
    maxDurationMinutes: 15,
    keepAlive: true,
    traffic: noTraffic,
    state: { status: "active" },
    ...changes,
  };
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** More callbacks than this in one `advance` mean that a timer is armed again and again. */
const mostCallbacks = 1000;

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 1_000_000;

  now(): number {
    return this.#now;
  }

  callAt(at: number, callback: () => void): () => void {
    const timer = { at, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the timers that are set go off, earliest first. */
  get armedFor(): readonly number[] {
    return [...this.#timers].map(({ at }) => at).sort((left, right) => left - right);
  }

  /** Lets `ms` pass in which the process stands still: nothing is called. */
  standStill(ms: number): void {
    this.#now += ms;
  }

  /** Lets `ms` pass: calls what is due in order, and lets the work that it begins come to rest. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await nextTurn();
    for (let calls = 0; ; calls += 1) {
      if (calls > mostCallbacks) throw new Error("timers go off without any time passing");
      const [next] = [...this.#timers]
        .filter(({ at }) => at <= target)
        .sort((left, right) => left.at - right.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await nextTurn();
    }
    this.#now = target;
  }
}

const gigabyte = 1024 ** 3;

/** Limits with whatever a test cares about changed; nobody waits unless it says so. */
export function makeLimits(changes: Partial<AdmissionLimits> = {}): AdmissionLimits {
  return {
    maxSessions: 100,
    reserve: { memoryBytes: 0, diskBytes: 0 },
    maxSessionsPerTenant: null,
    maxSessionsPerKey: null,
    startsPerMinutePerTenant: null,
    startsPerMinutePerKey: null,
    queueLength: 100,
    queueTimeoutMs: 0,
    ...changes,
  };
}

/** A host with as much room as a test says; plenty at first. */
export class FakeGauge implements HostGauge {
  availableBytes = 1000 * gigabyte;
  idleBytes = 0;
  diskFreeBytes = 1000 * gigabyte;

  async read(): Promise<HostReading> {
    await nextTurn();
    const { availableBytes, idleBytes, diskFreeBytes } = this;
    return {
      memory: { totalBytes: 1000 * gigabyte, availableBytes, idleBytes },
      disk: { totalBytes: 1000 * gigabyte, freeBytes: diskFreeBytes },
      cpu: { cores: 2, loadPercent: 0 },
    };
  }
}

/** A browser without a process. */
export class FakeBrowser implements Browser {
  readonly product = "Fake/1.0";
  readonly egressFailures = [];
  readonly directory = null;
  readonly reference: string;
  readonly lost: Promise<BrowserLoss>;
  readonly #loss = Promise.withResolvers<BrowserLoss>();
  released = false;
  /** What a test says that its pages sent and received. */
  traffic = noTraffic;

  constructor(reference: string) {
    this.reference = reference;
    this.lost = this.#loss.promise;
  }

  lose(loss: BrowserLoss): void {
    if (!this.released) this.#loss.resolve(loss);
  }

  release(): void {
    this.released = true;
  }

  async openCdp(): Promise<never> {
    throw new Error("a fake browser has no CDP");
  }

  async openMessages(): Promise<never> {
    throw new Error("a fake browser has no CDP");
  }

  async watch(): Promise<never> {
    throw new Error("a fake browser has no CDP");
  }

  async openTab(): Promise<never> {
    throw new Error("a fake browser has no CDP");
  }

  onDownload(): () => void {
    return () => {};
  }

  onEgressFailure(): () => void {
    return () => {};
  }

  async pages(): Promise<readonly []> {
    return [];
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from("fake");
  }
}

/** Profiles that hold nothing. */
export class FakeProfiles implements SessionProfiles {
  /** Of each save: the session, and whether its browser could be asked. */
  readonly saves: { readonly sessionId: string; readonly asked: boolean }[] = [];
  readonly restored: Browser[] = [];
  /** Sessions that were left to the next process. */
  readonly left: string[] = [];
  /** Awaited by every restore; a test may hold or fail it. */
  beforeRestore: () => Promise<void> = async () => {};
  /** Awaited by every save; a test may hold it. */
  beforeSave: () => Promise<void> = async () => {};

  async load(): Promise<LoadedProfile> {
    return {
      revision: 1,
      restore: async (browser) => {
        await this.beforeRestore();
        this.restored.push(browser);
      },
    };
  }

  async leave({ id }: ActiveSession): Promise<void> {
    this.left.push(id);
  }

  async save({ id }: ActiveSession, browser: Browser | null): Promise<ProfileSave> {
    await this.beforeSave();
    this.saves.push({ sessionId: id, asked: browser !== null });
    return { savedAt: browser === null ? null : 1, error: browser === null ? "gone" : null };
  }
}

/** Hands out fake browsers; its `browsers` outlive the service that took them, as processes do. */
export class FakeHost implements BrowserHost {
  readonly browsers: FakeBrowser[] = [];
  /** Awaited by every launch; a test may hold or fail it. */
  beforeLaunch: () => Promise<void> = async () => {};

  get running(): readonly FakeBrowser[] {
    return this.browsers.filter(({ released }) => !released);
  }

  async acquire(): Promise<Browser> {
    await this.beforeLaunch();
    const browser = new FakeBrowser(`browser-${this.browsers.length}`);
    this.browsers.push(browser);
    return browser;
  }

  async recover(
    references: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, Browser | BrowserLoss>> {
    for (const browser of this.running) {
      if (![...references.values()].includes(browser.reference)) browser.release();
    }
    return new Map(
      [...references].map(([sessionId, reference]) => [
        sessionId,
        this.running.find((browser) => browser.reference === reference) ?? {
          reason: "browser_crash" as const,
          message: "It is not running.",
        },
      ]),
    );
  }
}

/** A store that lives as long as the test; every operation takes a turn of the event loop. */
export class MemoryStore implements SessionStore {
  readonly #sessions = new Map<string, Session>();
  readonly #claims = new Map<string, { sessionId: string; fingerprint: string }>();
  readonly #delay: () => Promise<unknown>;

  constructor(delay: () => Promise<unknown> = () => nextTurn()) {
    this.#delay = delay;
  }

  async insert(session: ActiveSession, claim: IdempotencyClaim | null): Promise<boolean> {
    await this.#delay();
    if (this.#sessions.has(session.id)) {
      if (claim !== null) return false;
      throw new Error("the session exists already");
    }
    if (claim !== null) {
      const slot = JSON.stringify([session.tenantId, claim.key]);
      if (this.#claims.has(slot)) return false;
      this.#claims.set(slot, { sessionId: session.id, fingerprint: claim.fingerprint });
    }
    this.#sessions.set(session.id, session);
    return true;
  }

  async find(id: string): Promise<Session | null> {
    await this.#delay();
    return this.#sessions.get(id) ?? null;
  }

  async findClaim(tenantId: string, key: string) {
    await this.#delay();
    return this.#claims.get(JSON.stringify([tenantId, key])) ?? null;
  }

  async list(query: SessionListQuery): Promise<SessionPage> {
    await this.#delay();
    const start = (query.page - 1) * query.pageSize;
    const all = [...this.#sessions.values()]
      .filter(({ tenantId }) => tenantId === query.tenantId)
      .filter((session) => !query.onlyActive || isActive(session))
      .filter(({ apiKeyId }) => query.apiKeyId === undefined || apiKeyId === query.apiKeyId)
      .filter(({ state }) => query.status === undefined || state.status === query.status)
      .filter((session) => query.search === undefined || isFound(session, query.search))
      .sort((left, right) => right.createdAt - left.createdAt || (left.id < right.id ? 1 : -1));
    return {
      sessions: all.slice(start, start + query.pageSize),
      hasNext: all.length > start + query.pageSize,
    };
  }

  async activeOnNode(nodeId: string): Promise<readonly ActiveSession[]> {
    await this.#delay();
    return this.#active().filter((session) => session.nodeId === nodeId);
  }

  async activeSince(where: ActiveWhere) {
    await this.#delay();
    const found = this.#active().filter((session) =>
      Object.entries(where).every(([name, value]) => session[name as keyof Session] === value),
    );
    return new Map(found.map(({ id, createdAt }) => [id, createdAt]));
  }

  async end(
    id: string,
    state: EndedState,
    lastAccessedAt: number,
    traffic?: Traffic,
  ): Promise<boolean> {
    await this.#delay();
    return this.#change(id, (session) => ({
      ...session,
      browserReference: "",
      state,
      lastAccessedAt,
      traffic: traffic ?? session.traffic,
    }));
  }

  async retime(changed: ActiveSession): Promise<boolean> {
    await this.#delay();
    const { idleTimeoutMinutes, keepAlive, lastAccessedAt } = changed;
    return this.#change(changed.id, (session) => ({
      ...session,
      idleTimeoutMinutes,
      keepAlive,
      lastAccessedAt,
    }));
  }

  async saveProgress(all: ReadonlyMap<string, SessionProgress>): Promise<void> {
    await this.#delay();
    for (const [id, progress] of all) {
      this.#change(id, (session) => ({ ...session, ...progress }));
    }
  }

  #active(): readonly ActiveSession[] {
    return [...this.#sessions.values()].filter(isActive);
  }

  #change(id: string, change: (session: ActiveSession) => Session): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || !isActive(session)) return false;
    this.#sessions.set(id, change(session));
    return true;
  }
}

function isFound({ id, state }: Session, search: string): boolean {
  const text = search.toLowerCase();
  if (id.startsWith(text)) return true;
  if (state.status === "active") return false;
  return (
    (state.error ?? "").toLowerCase().includes(text) ||
    state.endReason.includes(text.replaceAll(" ", "_"))
  );
}
