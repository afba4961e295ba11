import { createHmac, timingSafeEqual } from "node:crypto";

/** What a URL that needs no API key may open. Each opens one thing of one session and nothing else. */
export type CapabilityScope = "cdp";

/**
 * Makes and checks the tokens that stand in URLs. A token is derived from the server's secret and
 * the session's id, so it needs no storage, survives restarts, and any node can check it.
 */
export class Capabilities {
  readonly #secret: Uint8Array;

  /** `secret`: at least 32 random bytes, the same on every node and after every restart. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  tokenFor(scope: CapabilityScope, sessionId: string): string {
    return this.#digest(scope, sessionId).toString("base64url");
  }

  /** Compares in constant time. */
  verify(scope: CapabilityScope, sessionId: string, token: string): boolean {
    const given = Buffer.from(token, "base64url");
    const right = this.#digest(scope, sessionId);
    return given.length === right.length && timingSafeEqual(given, right);
  }

  #digest(scope: CapabilityScope, sessionId: string): Buffer {
    return createHmac("sha256", this.#secret).update(`${scope}:${sessionId}`).digest();
  }
}
