import {
  type AskedSettings,
  type BrowserSettings,
  withoutProxyPassword,
} from "./browser-settings.ts";
import type {
  Browser,
  BrowserHost,
  Clock,
  IdempotencyClaim,
  LoadedProfile,
  SessionProfiles,
  SessionStore,
} from "./ports.ts";
import { untilUnchanged } from "./profile.ts";
import type { ActiveSession } from "./session.ts";
import { shuttingDown } from "./start-limits.ts";
import type { Tracer } from "./tracer.ts";
import { noTraffic } from "./traffic.ts";

/** Who is asking. */
export interface Principal {
  readonly tenantId: string;
  readonly apiKeyId: string;
}

export interface StartRequest {
  readonly settings: AskedSettings;
  readonly idleTimeoutMinutes: number;
  readonly maxDurationMinutes: number;
  readonly keepAlive: boolean;
  readonly claim: IdempotencyClaim | null;
}

export interface SessionStarterOptions {
  readonly store: SessionStore;
  readonly host: BrowserHost;
  readonly profiles: SessionProfiles;
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly nodeId: string;
  /** Whether sessions are recorded whose start does not say. */
  readonly recordByDefault: boolean;
}

/** Makes sessions of browsers: takes one, gives it the state of a profile, and writes the session down. */
export class SessionStarter {
  readonly #options: SessionStarterOptions;
  readonly #starting = new Set<Browser>();
  #closed = false;

  constructor(options: SessionStarterOptions) {
    this.#options = options;
  }

  /** The browsers of sessions that are not written down yet. */
  get starting(): ReadonlySet<Browser> {
    return this.#starting;
  }

  /** From now on nothing is written down: starts that are under way throw `shutting_down`. */
  close(): void {
    this.#closed = true;
  }

  /** Throws what `SessionProfiles.load` throws where there is no such profile to start with. */
  async checkProfile(principal: Principal, request: StartRequest): Promise<void> {
    await this.#load(principal, request);
  }

  /**
   * Answers the session, which is in the store, with its browser; null when its claim was taken before.
   * Throws, with nothing left, what the store, `BrowserHost.acquire` and `SessionProfiles` throw, and
   * `shutting_down`.
   */
  async start(
    id: string,
    principal: Principal,
    request: StartRequest,
  ): Promise<{ readonly session: ActiveSession; readonly browser: Browser } | null> {
    // What a browser was given of a profile that changed is not what a session may write back upon.
    return untilUnchanged(request.settings.profile?.id ?? "", async () => {
      const profile = await this.#load(principal, request);
      return this.#startWith(id, principal, request, profile);
    });
  }

  async #load({ tenantId }: Principal, { settings }: StartRequest): Promise<LoadedProfile | null> {
    const { profiles } = this.#options;
    return settings.profile === null ? null : profiles.load(tenantId, settings.profile);
  }

  async #startWith(
    id: string,
    principal: Principal,
    request: StartRequest,
    profile: LoadedProfile | null,
  ): Promise<{ readonly session: ActiveSession; readonly browser: Browser } | null> {
    const { store, host, clock, nodeId, tracer, recordByDefault } = this.#options;
    const settings: BrowserSettings = {
      ...request.settings,
      recording: request.settings.recording ?? recordByDefault,
    };
    const browser = await tracer.span("session.browser", {}, () =>
      host.acquire(settings, principal.tenantId),
    );
    this.#starting.add(browser);
    let inserted = false;
    try {
      if (profile !== null) {
        await tracer.span("session.profile", {}, () => profile.restore(browser));
      }
      // Nobody would end it any more.
      if (this.#closed) throw shuttingDown();
      const createdAt = clock.now();
      const session: ActiveSession = {
        id,
        tenantId: principal.tenantId,
        apiKeyId: principal.apiKeyId,
        nodeId,
        browserReference: browser.reference,
        settings: withoutProxyPassword(settings),
        createdAt,
        lastAccessedAt: createdAt,
        idleTimeoutMinutes: request.idleTimeoutMinutes,
        maxDurationMinutes: request.maxDurationMinutes,
        keepAlive: request.keepAlive,
        traffic: noTraffic,
        state: { status: "active" },
      };
      inserted = await tracer.span("session.row", {}, () =>
        store.insert(session, request.claim, profile?.revision),
      );
      return inserted ? { session, browser } : null;
    } finally {
      this.#starting.delete(browser);
      if (!inserted) browser.release();
    }
  }
}
