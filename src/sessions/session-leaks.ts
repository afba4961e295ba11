import type { Browser, SessionStore } from "./ports.ts";
import type { Leak, LeakFinder } from "./reconciler.ts";
import type { SessionService } from "./session-service.ts";

/** A row and the session that this process serves for it come and go together. */
const rowPatienceMs = 2000;

/** A browser outlives its session while clients are told, and downloads and logs are written. */
const browserPatienceMs = 60_000;

export interface SessionLeaksOptions {
  readonly store: Pick<SessionStore, "activeOnNode">;
  readonly sessions: Pick<SessionService, "browsers" | "endLost" | "endById">;
  readonly nodeId: string;
  /** The browsers that were handed out and not given back. */
  readonly handedOut: () => ReadonlySet<Browser>;
}

/** Rows that nobody serves, sessions that no row stands for, browsers that no session has. */
export class SessionLeaks implements LeakFinder {
  readonly #options: SessionLeaksOptions;

  constructor(options: SessionLeaksOptions) {
    this.#options = options;
  }

  async find(): Promise<readonly Leak[]> {
    const { store, sessions, nodeId, handedOut } = this.#options;
    const rows = await store.activeOnNode(nodeId);
    const { live, starting } = sessions.browsers();
    const active = new Set(rows.map(({ id }) => id));
    const held = new Set([...live.values(), ...starting]);
    return [
      ...rows
        .filter(({ id }) => !live.has(id))
        .map((session) => ({
          kind: "row" as const,
          name: session.id,
          patienceMs: rowPatienceMs,
          repair: () => sessions.endLost(session),
        })),
      ...[...live.keys()]
        .filter((id) => !active.has(id))
        .map((id) => ({
          kind: "session" as const,
          name: id,
          patienceMs: rowPatienceMs,
          // Its row has ended already, and keeps its reason.
          repair: () => sessions.endById(id, "node_lost"),
        })),
      // A browser elsewhere is only let go of, so there is nothing of it to leak.
      ...[...handedOut()]
        .filter((browser) => browser.directory !== null && !held.has(browser))
        .map((browser) => ({
          kind: "browser" as const,
          name: browser.directory ?? "",
          patienceMs: browserPatienceMs,
          repair: () => browser.release(),
        })),
    ];
  }
}
