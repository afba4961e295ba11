import { z } from "zod";
import type { Cookie } from "../pages/cookies.ts";
import type { BrowserWatch } from "../sessions/ports.ts";
import { cookieKey, type StoredCookie } from "./browser-state.ts";

/** `Network.Cookie` of CDP, as far as it is kept. */
const cdpCookies = z.object({
  cookies: z.array(
    z.object({
      name: z.string(),
      value: z.string(),
      domain: z.string(),
      path: z.string(),
      expires: z.number(),
      httpOnly: z.boolean(),
      secure: z.boolean(),
      sameSite: z.enum(["Strict", "Lax", "None"]).optional(),
      priority: z.enum(["Low", "Medium", "High"]).optional(),
      sourceScheme: z.enum(["Unset", "NonSecure", "Secure"]).optional(),
      sourcePort: z.number().optional(),
      partitionKey: z
        .object({ topLevelSite: z.string(), hasCrossSiteAncestor: z.boolean() })
        .optional(),
      partitionKeyOpaque: z.boolean().optional(),
    }),
  ),
});

/** All cookies of a browser's own context, those that would end with it included. */
export async function readBrowserCookies(watch: BrowserWatch): Promise<readonly StoredCookie[]> {
  const { cookies } = cdpCookies.parse(await watch.send("Storage.getCookies"));
  return (
    cookies
      // Those belong to a page that cannot come again.
      .filter(({ partitionKeyOpaque }) => partitionKeyOpaque !== true)
      .map((cookie) => ({
        name: cookie.name,
        value: cookie.value,
        domain: cookie.domain,
        path: cookie.path,
        expires: cookie.expires < 0 ? null : cookie.expires,
        httpOnly: cookie.httpOnly,
        secure: cookie.secure,
        sameSite: cookie.sameSite ?? null,
        partition:
          cookie.partitionKey === undefined
            ? null
            : {
                site: cookie.partitionKey.topLevelSite,
                crossSite: cookie.partitionKey.hasCrossSiteAncestor,
              },
        priority: cookie.priority ?? null,
        source:
          cookie.sourceScheme === undefined || cookie.sourcePort === undefined
            ? null
            : { scheme: cookie.sourceScheme, port: cookie.sourcePort },
      }))
  );
}

/**
 * Puts cookies into a browser's own context. Answers those that the browser does not take; throws when
 * it does not answer, or the signal is aborted.
 */
export async function writeBrowserCookies(
  watch: BrowserWatch,
  cookies: readonly StoredCookie[],
  signal: AbortSignal,
): Promise<readonly StoredCookie[]> {
  if (cookies.length === 0) return [];
  signal.throwIfAborted();
  try {
    await watch.send("Storage.setCookies", { cookies: cookies.map(toCdp) });
    return [];
  } catch (error) {
    const [first] = cookies;
    if (first === undefined) return [];
    if (cookies.length === 1) {
      // The browser must say so itself; one that is gone takes none at all.
      await watch.send("Browser.getVersion").catch(() => {
        throw error;
      });
      return [first];
    }
    // It takes all of them or none: halves find those that are wrong.
    const middle = Math.ceil(cookies.length / 2);
    const left = await writeBrowserCookies(watch, cookies.slice(0, middle), signal);
    const right = await writeBrowserCookies(watch, cookies.slice(middle), signal);
    return [...left, ...right];
  }
}

function toCdp(cookie: StoredCookie): object {
  const { name, value, domain, path, expires, httpOnly, secure } = cookie;
  const { sameSite, partition, priority, source } = cookie;
  return {
    name,
    value,
    domain,
    path,
    httpOnly,
    secure,
    ...(expires === null ? {} : { expires }),
    ...(sameSite === null ? {} : { sameSite }),
    ...(priority === null ? {} : { priority }),
    ...(source === null ? {} : { sourceScheme: source.scheme, sourcePort: source.port }),
    ...(partition === null
      ? {}
      : {
          partitionKey: {
            topLevelSite: partition.site,
            hasCrossSiteAncestor: partition.crossSite,
          },
        }),
  };
}

/** A cookie as the API has it. */
export function toCookie(cookie: StoredCookie): Cookie {
  const { name, value, domain, path, expires, httpOnly, secure, sameSite, partition } = cookie;
  const partitionKey = partition?.site ?? null;
  return { name, value, domain, path, expires, httpOnly, secure, sameSite, partitionKey };
}

/** A cookie of the API's, as it is kept. */
export function toStoredCookie({ partitionKey, ...cookie }: Cookie): StoredCookie {
  return {
    ...cookie,
    partition:
      partitionKey === null
        ? null
        : { site: partitionKey, crossSite: !isWithin(cookie.domain, partitionKey) },
    priority: null,
    source: null,
  };
}

/** Whether a cookie's domain is that of the site itself, where no frame of another site set it. */
function isWithin(domain: string, site: string): boolean {
  if (!URL.canParse(site)) return false;
  const { hostname } = new URL(site);
  const host = domain.replace(/^\./, "");
  return host === hostname || host.endsWith(`.${hostname}`);
}

/** Cookies with others put in; one that is the same is replaced. */
export function mergeCookies(
  cookies: readonly StoredCookie[],
  others: readonly StoredCookie[],
): readonly StoredCookie[] {
  const merged = new Map([...cookies, ...others].map((cookie) => [cookieKey(cookie), cookie]));
  return [...merged.values()];
}
