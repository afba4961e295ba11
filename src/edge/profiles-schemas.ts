import { z } from "zod";
import type { Cookie } from "../pages/cookies.ts";
import type { Profile } from "../sessions/profile.ts";
import { wireCookie } from "./cookies-schemas.ts";
import { exampleProfileId, queryBoolean } from "./session-schemas.ts";
import { wireTime } from "./wire-time.ts";

const time = z.iso.datetime({ offset: true }).meta({ examples: ["2026-11-24T12:00:00.000+00:00"] });

const name = z
  .string()
  .max(200)
  .nullish()
  .describe("What it is for: at most 200 characters, which need not be unique.")
  .meta({ examples: ["shop, logged in"] });

/** The body of `POST /profiles/create` and of `POST /profiles/{id}/duplicate`. */
export const profileBody = z.strictObject({ name });

export const profileAnswer = z
  .object({
    profile_id: z.string().meta({ examples: [exampleProfileId] }),
    name: z.string().nullable().describe("As given; null for none."),
    created_at: time.describe("When it was made."),
    updated_at: time.describe("When its state was last written."),
    persisted_domains: z
      .array(z.string())
      .describe("Where it has cookies, localStorage, sessionStorage or IndexedDB of.")
      .meta({ examples: [["example.com", "login.example.com"]] }),
  })
  .meta({ id: "Profile" });

export const profileListAnswer = z
  .object({
    items: z.array(profileAnswer).describe("Newest first."),
    page: z.int().min(1).describe("As asked."),
    page_size: z.int().min(1).describe("As asked."),
    has_next: z.boolean().describe("Whether there is a page after this one."),
    has_previous: z.boolean().describe("Whether there is a page before this one."),
  })
  .meta({ id: "ProfileList" });

export const profileListQuery = z.object({
  page: z.coerce.number().int().min(1).max(1_000_000).default(1).describe("From 1."),
  page_size: z.coerce.number().int().min(1).max(100).default(20).describe("At most 100."),
  name: z
    .string()
    .max(200)
    .optional()
    .describe("Only profiles with this in their name, whatever its letter case."),
  only_active: queryBoolean.optional().describe("Of no effect: newer clients send it."),
  only_current_token: queryBoolean.optional().describe("Of no effect: newer clients send it."),
});

export const profileParams = z.object({
  profile_id: z
    .string()
    .describe("The profile's id.")
    .meta({ examples: [exampleProfileId] }),
});

export const profileDeletedAnswer = z
  .object({
    success: z.literal(true).describe("It is done."),
    message: z.string().meta({ examples: ["The profile is deleted."] }),
  })
  .meta({ id: "ProfileDeleted" });

export const profileCookiesAnswer = z
  .object({ cookies: z.array(wireCookie).describe("As they were last saved.") })
  .meta({ id: "ProfileCookies" });

const seconds = z.number().nullish();

/** Browsers take no more, and none of these characters. */
const cookieText = z
  .string()
  .max(4096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
  .regex(/^[^\x00-\x08\x0a-\x1f\x7f;]*$/, "must not hold semicolons or control characters");

/** As browsers, Playwright and extensions export it: each has names and words of its own. */
const importedCookie = z
  .object({
    name: cookieText.describe("Its name."),
    value: cookieText.describe("Its value."),
    domain: z.string().min(1).max(253).describe("With a leading dot where subdomains get it too."),
    path: z.string().max(4096).nullish().describe("Default `/`."),
    expires: seconds.describe("Seconds since 1970; null or -1 is kept until it is deleted."),
    expirationDate: seconds.describe("The same as `expires`, as Chrome's extensions name it."),
    httpOnly: z.boolean().nullish().describe("Default false."),
    secure: z.boolean().nullish().describe("Default false."),
    session: z.boolean().nullish().describe("Whether it has no expiry of its own."),
    sameSite: z
      .string()
      .toLowerCase()
      .pipe(z.enum(["lax", "none", "strict", "no_restriction", "unspecified", ""]))
      .nullish()
      .describe("In Playwright's words or in Chrome's, whatever the letter case."),
    partitionKey: z
      .union([z.string(), z.object({ topLevelSite: z.string().optional().describe("The site.") })])
      .nullish()
      .describe("The site that it is partitioned by, if any."),
  })
  .meta({ id: "ImportedCookie" });

/** The body of `POST /profiles/{id}/cookies`. */
export const profileCookiesBody = z.strictObject({
  cookies: z.array(importedCookie).max(5000).describe("What is put into the profile."),
  mode: z
    .enum(["append", "replace"])
    .default("append")
    .describe(
      "`append` replaces those with the same name, domain and path and leaves the others; `replace` removes the others.",
    ),
  source_format: z
    .enum(["chrome", "playwright"])
    .nullish()
    .describe("Where they come from. Either form is understood whatever it says."),
});

export const profileCookiesSetAnswer = z
  .object({
    success: z.literal(true).describe("The cookies are saved."),
    message: z.string().meta({ examples: ["2 cookies saved."] }),
    mode: z.enum(["append", "replace"]).describe("As asked."),
    cookies_count: z.int().min(0).describe("How many cookies the profile has now."),
  })
  .meta({ id: "ProfileCookiesSet" });

/** A profile as it goes over the wire. */
export function toWireProfile(profile: Profile): z.output<typeof profileAnswer> {
  return {
    profile_id: profile.id,
    name: profile.name,
    created_at: wireTime(profile.createdAt),
    updated_at: wireTime(profile.updatedAt),
    persisted_domains: [...profile.domains],
  };
}

const sameSites = {
  lax: "Lax",
  strict: "Strict",
  none: "None",
  no_restriction: "None",
  unspecified: null,
  "": null,
} as const;

export function toImportedCookie(cookie: z.output<typeof importedCookie>): Cookie {
  const { name, value, domain, path, session, partitionKey } = cookie;
  const expires = cookie.expires ?? cookie.expirationDate ?? null;
  const site = typeof partitionKey === "object" ? partitionKey?.topLevelSite : partitionKey;
  return {
    name,
    value,
    domain,
    path: path ?? "/",
    expires: session === true || expires === null || expires < 0 ? null : expires,
    httpOnly: cookie.httpOnly ?? false,
    secure: cookie.secure ?? false,
    sameSite: sameSites[cookie.sameSite ?? ""],
    partitionKey: site ?? null,
  };
}
