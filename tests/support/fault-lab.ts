import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, vi } from "vitest";
import { Nightjar } from "./nightjar.ts";
import { browserDirectories, browserProcesses, mainProcesses } from "./processes.ts";
import { RawCdp } from "./raw-cdp.ts";

/** Within which a slot must be free again after a fault, in ms. */
const slotBackWithinMs = 10_000;

/** A session that stands beside a fault and must not notice it. */
interface Bystander {
  readonly id: string;
  readonly cdp: RawCdp;
}

const memory = "globalThis.nightjarState";

/**
 * A server on which something is broken on purpose, with a session beside it that must come through
 * unharmed, and what must be true afterwards.
 */
export class FaultLab {
  readonly server: Nightjar;
  #bystander: Bystander;

  private constructor(server: Nightjar, bystander: Bystander) {
    this.server = server;
    this.#bystander = bystander;
  }

  /** `parentDirectory`: where its data directory is made; the system's temporary files by default. */
  static async start(
    settings: Record<string, string> = {},
    parentDirectory?: string,
  ): Promise<FaultLab> {
    const server = await Nightjar.start(
      { NIGHTJAR_MAX_SESSIONS: "3", NIGHTJAR_LOG_LEVEL: "info", ...settings },
      parentDirectory,
    );
    const { id, cdpUrl } = await server.startSession({ idle_timeout_minutes: 15 });
    const cdp = await RawCdp.connect(cdpUrl);
    await cdp.evaluate(`${memory} = "kept"`);
    return new FaultLab(server, { id, cdp });
  }

  /** Connects to the session beside the fault again, after the server was started anew. */
  async reconnect(): Promise<void> {
    const { id } = this.#bystander;
    const { body } = await this.server.call("GET", `/sessions/${id}`);
    this.#bystander = { id, cdp: await RawCdp.connect(String(body["cdp_url"])) };
  }

  /** The session beside the fault is operated as if nothing were, over CDP and by the page API. */
  async checkBystander(): Promise<void> {
    const { id, cdp } = this.#bystander;
    expect(await cdp.evaluate(memory)).toBe("kept");
    const observed = await this.server.call("POST", `/sessions/${id}/page/observe`, { body: {} });
    expect(observed.status).toBe(200);
  }

  /** So it is, and a new session is started and stopped. */
  async checkOthersServed(): Promise<void> {
    await this.checkBystander();
    const other = await this.server.startSession();
    const stopped = await this.server.call("DELETE", `/sessions/${other.id}/stop`);
    expect(stopped.status).toBe(200);
  }

  /** The pid of a session's browser. */
  async browserOf(sessionId: string): Promise<number> {
    const database = new DatabaseSync(path.join(this.server.dataDir, "nightjar.db"), {
      readOnly: true,
    });
    try {
      const row = database
        .prepare("select browser_reference from sessions where id = ?")
        .get(sessionId);
      const reference: unknown = JSON.parse(String(row?.["browser_reference"]));
      return (reference as { readonly pid: number }).pid;
    } finally {
      database.close();
    }
  }

  /** How a session ended, once it has. */
  async endOf(sessionId: string): Promise<{ readonly status: unknown; readonly reason: unknown }> {
    return vi.waitFor(
      async () => {
        const { body } = await this.server.call("GET", `/sessions/${sessionId}`);
        expect(body["status"]).not.toBe("active");
        return { status: body["status"], reason: body["end_reason"] };
      },
      { timeout: slotBackWithinMs, interval: 50 },
    );
  }

  /**
   * What holds after every fault: the session beside it lives on with its page as it was, all slots
   * are free again within ten seconds, nothing is left of the sessions that ended, and the store is
   * whole and says what runs.
   */
  async checkUnharmed(): Promise<void> {
    const { server } = this;
    await this.checkOthersServed();
    const started = await vi.waitFor(
      () => Promise.all([server.startSession(), server.startSession()]),
      { timeout: slotBackWithinMs, interval: 250 },
    );
    for (const session of started) await server.call("DELETE", `/sessions/${session.id}/stop`);

    await vi.waitFor(
      async () => {
        const { body: health } = await server.call("GET", "/health");
        expect(health["active_sessions"]).toBe(1);
        const mains = await mainProcesses(server.dataDir);
        const directories = await browserDirectories(server.dataDir);
        // The browser of the session beside the fault, and those that are warm.
        expect(directories).toHaveLength(1 + Number(health["warm_browsers"]));
        expect([...mains.keys()].sort()).toEqual([...directories].sort());
      },
      { timeout: 20_000, interval: 100 },
    );
    await this.#checkStore();
  }

  async #checkStore(): Promise<void> {
    const database = new DatabaseSync(path.join(this.server.dataDir, "nightjar.db"), {
      readOnly: true,
    });
    try {
      expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
      const active = database.prepare("select id from sessions where status = 'active'").all();
      expect(active.map((row) => row["id"])).toEqual([this.#bystander.id]);
      const unfinished = database
        .prepare("select id from sessions where status <> 'active' and closed_at is null")
        .all();
      expect(unfinished).toEqual([]);
    } finally {
      database.close();
    }
  }

  /** Ends everything; whatever was still stopped goes on, so that it can end. */
  async dispose(): Promise<void> {
    for (const { pid, state } of await browserProcesses(this.server.dataDir)) {
      if (state === "T") process.kill(pid, "SIGCONT");
    }
    this.#bystander.cdp.close();
    await this.server.dispose();
  }
}
