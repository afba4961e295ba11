import { createHmac, timingSafeEqual } from "node:crypto";

/** What a URL that needs no API key may open. Each opens one thing of one session and nothing else. */
export type CapabilityScope = "cdp";

/** What a URL with an end opens: one file, or the live view of one session. */
export type ExpiringScope = "file" | "viewer";

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
    return isToken(token, this.#digest(scope, sessionId));
  }

  /** A token that is good until `expiresAt` (epoch s) for one `subject`, whatever that names. */
  expiringToken(scope: ExpiringScope, subject: string, expiresAt: number): string {
    return this.#digest(scope, `${expiresAt}:${subject}`).toString("base64url");
  }

  /** Whether the token was made for this subject and this end, whatever the time is now. */
  verifyExpiring(scope: ExpiringScope, subject: string, expiresAt: number, token: string): boolean {
    return isToken(token, this.#digest(scope, `${expiresAt}:${subject}`));
  }

  #digest(scope: CapabilityScope | ExpiringScope, subject: string): Buffer {
    return createHmac("sha256", this.#secret).update(`${scope}:${subject}`).digest();
  }
}

function isToken(token: string, digest: Buffer): boolean {
  const given = Buffer.from(token, "base64url");
  return given.length === digest.length && timingSafeEqual(given, digest);
}
