import { expect, vi } from "vitest";
import { type EndReason, statusOfEnd } from "../../src/sessions/session.ts";
import { expectConsistent, storedSessions } from "./consistency.ts";
import { Nightjar } from "./nightjar.ts";
import { browserProcesses } from "./processes.ts";
import { RawCdp } from "./raw-cdp.ts";

/** Within which a slot must be free again after a fault, in ms. */
const slotBackWithinMs = 10_000;

/** A session that stands beside a fault and must not notice it. */
interface Bystander {
  readonly id: string;
  readonly cdpUrl: string;
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
  /** Why sessions ended that a fault ended; every other one was stopped by its client. */
  readonly #ends = new Map<string, EndReason>();

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
    return new FaultLab(server, { id, cdpUrl, cdp });
  }

  /** Connects to the session beside the fault again, after the server was started anew. */
  async reconnect(): Promise<void> {
    const { id, cdpUrl } = this.#bystander;
    this.#bystander = { id, cdpUrl, cdp: await RawCdp.connect(cdpUrl) };
  }

  /** The session beside the fault. */
  get bystander(): { readonly id: string; readonly cdpUrl: string } {
    return this.#bystander;
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

  /** The pid of an active session's browser. */
  browserOf(sessionId: string): number {
    const { dataDir } = this.server;
    const found = storedSessions(dataDir).find(({ id }) => id === sessionId)?.browser;
    if (found === undefined || found === null) throw new Error(`${sessionId} has no browser`);
    return found.pid;
  }

  /** Waits until a session has ended, and looks that it did for this reason. */
  async expectEnded(sessionId: string, reason: EndReason): Promise<void> {
    const within = { timeout: slotBackWithinMs, interval: 50 };
    const { body } = await vi.waitFor(async () => {
      const answer = await this.server.call("GET", `/sessions/${sessionId}`);
      expect(answer.body["status"]).not.toBe("active");
      return answer;
    }, within);
    expect(body, `the end of session ${sessionId}`).toMatchObject({
      status: statusOfEnd[reason],
      end_reason: reason,
    });
    this.#ends.set(sessionId, reason);
  }

  /**
   * What holds after every fault. `ended`: the sessions that ended of it, or were stopped, each with
   * the reason that it must have. Then: every slot but one is free again within ten seconds; the
   * session beside the fault lives on with its page as it was; no other session ended, whenever and
   * for whatever; and nothing is left over (see `expectConsistent`).
   */
  async expectUnharmed(ended: Readonly<Record<string, EndReason>> = {}): Promise<void> {
    const { server } = this;
    const begun = performance.now();
    for (const [id, reason] of Object.entries(ended)) await this.expectEnded(id, reason);
    await this.checkBystander();
    await vi.waitFor(
      async () => {
        const { body } = await server.call("GET", "/pressure");
        expect(body).toMatchObject({ running: 1, queued: 0 });
      },
      { timeout: slotBackWithinMs, interval: 100 },
    );
    // What is said to be free can be had, too.
    const others = await Promise.all([server.startSession(), server.startSession()]);
    expect(performance.now() - begun).toBeLessThan(slotBackWithinMs);
    for (const { id } of others) await server.call("DELETE", `/sessions/${id}/stop`);

    await expectConsistent(server);
    for (const { id, status, endReason } of storedSessions(server.dataDir)) {
      if (id === this.#bystander.id) expect(status).toBe("active");
      else expect(endReason, `session ${id}`).toBe(this.#ends.get(id) ?? "client_stop");
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
