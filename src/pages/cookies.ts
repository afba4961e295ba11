import type { BrowserContext } from "playwright-core";
import { messageOf, NightjarError } from "../sessions/errors.ts";

/** A cookie of a session's browser. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** With a leading dot where subdomains get it too. */
  readonly domain: string;
  readonly path: string;
  /** Seconds since the epoch; null for a cookie that ends with the browser. */
  readonly expires: number | null;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "Strict" | "Lax" | "None" | null;
  /** The site that it is partitioned by (CHIPS); null for an ordinary one. */
  readonly partitionKey: string | null;
}

/** All cookies of the browser, of every site. */
export async function readCookies(context: BrowserContext): Promise<readonly Cookie[]> {
  const cookies = await context.cookies();
  return cookies.map((cookie) => ({
    name: cookie.name,
    value: cookie.value,
    domain: cookie.domain,
    path: cookie.path,
    expires: cookie.expires < 0 ? null : cookie.expires,
    httpOnly: cookie.httpOnly,
    secure: cookie.secure,
    sameSite: cookie.sameSite ?? null,
    partitionKey: cookie.partitionKey ?? null,
  }));
}

/** Adds cookies; one with the same name, domain and path is replaced. Throws `invalid_request`. */
export async function addCookies(
  context: BrowserContext,
  cookies: readonly Cookie[],
): Promise<void> {
  try {
    await context.addCookies(
      cookies.map(({ expires, sameSite, partitionKey, ...cookie }) => ({
        ...cookie,
        expires: expires ?? -1,
        ...(sameSite === null ? {} : { sameSite }),
        ...(partitionKey === null ? {} : { partitionKey }),
      })),
    );
  } catch (error) {
    const reason = messageOf(error).replace(/^browserContext\.addCookies: /, "");
    const message = `The browser does not take these cookies: ${reason}. Check name, domain, path and the attributes of each.`;
    throw new NightjarError("invalid_request", message, {
      issues: [{ location: ["body", "cookies"], message, kind: "cookie" }],
      cause: error,
    });
  }
}
