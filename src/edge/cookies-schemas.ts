import { z } from "zod";
import type { Cookie } from "../pages/cookies.ts";

const seconds = z.number().nullish();

/** A cookie as clients send and get it: a superset of what browsers, Playwright and extensions write. */
export const wireCookie = z
  .object({
    name: z
      .string()
      .min(1)
      .meta({ examples: ["sid"] }),
    value: z.string().meta({ examples: ["b4f1"] }),
    domain: z
      .string()
      .min(1)
      .describe("With a leading dot where subdomains get it too.")
      .meta({ examples: ["example.com"] }),
    path: z
      .string()
      .min(1)
      .meta({ examples: ["/"] }),
    httpOnly: z.boolean().describe("Whether scripts of pages cannot see it."),
    expires: seconds.describe("Seconds since 1970; null ends with the browser."),
    expirationDate: seconds.describe("The same as `expires`, as browser extensions name it."),
    secure: z.boolean().nullish().describe("Only sent over https. Default false."),
    sameSite: z
      .enum(["Lax", "None", "Strict"])
      .nullish()
      .describe("Null leaves it to the browser."),
    session: z.boolean().nullish().describe("Whether it ends with the browser."),
    hostOnly: z.boolean().nullish().describe("Whether only this very host gets it."),
    storeId: z.string().nullish().describe("Of no meaning here; extensions write it."),
    partitionKey: z.string().nullish().describe("The site that it is partitioned by, if any."),
  })
  .meta({ id: "Cookie" });

export const cookiesAnswer = z
  .object({ cookies: z.array(wireCookie).describe("All cookies of the session's browser.") })
  .meta({ id: "Cookies" });

/** The body of `POST /sessions/{id}/cookies`. */
export const cookiesBody = z.strictObject({
  cookies: z
    .array(wireCookie)
    .max(5000)
    .describe("Those with the same name, domain and path are replaced."),
});

export const cookiesSetAnswer = z
  .object({
    success: z.literal(true).describe("The cookies are set."),
    message: z.string().meta({ examples: ["2 cookies set."] }),
  })
  .meta({ id: "CookiesSet" });

type WireCookie = z.output<typeof wireCookie>;

export function toWireCookie(cookie: Cookie): WireCookie {
  return {
    name: cookie.name,
    value: cookie.value,
    domain: cookie.domain,
    path: cookie.path,
    httpOnly: cookie.httpOnly,
    expires: cookie.expires,
    expirationDate: cookie.expires,
    secure: cookie.secure,
    sameSite: cookie.sameSite,
    session: cookie.expires === null,
    hostOnly: !cookie.domain.startsWith("."),
    partitionKey: cookie.partitionKey,
  };
}

export function toCookie(cookie: WireCookie): Cookie {
  const expires = cookie.expires ?? cookie.expirationDate ?? null;
  return {
    name: cookie.name,
    value: cookie.value,
    domain: cookie.domain,
    path: cookie.path,
    // Browsers write -1 for a cookie that ends with them.
    expires: cookie.session === true || expires === null || expires < 0 ? null : expires,
    httpOnly: cookie.httpOnly,
    secure: cookie.secure ?? false,
    sameSite: cookie.sameSite ?? null,
    partitionKey: cookie.partitionKey ?? null,
  };
}
