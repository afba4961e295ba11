import { z } from "zod";
import type { SiteState, StoredRecord } from "./site-protocol.ts";

const cookieSchema = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.string(),
  path: z.string(),
  /** Seconds since the epoch; null for one that would end with its browser. */
  expires: z.number().nullable(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
  sameSite: z.enum(["Strict", "Lax", "None"]).nullable(),
  partition: z.object({ site: z.string(), crossSite: z.boolean() }).nullable(),
  /** As the browser told them; null where it was not asked. */
  priority: z.enum(["Low", "Medium", "High"]).nullable(),
  source: z
    .object({ scheme: z.enum(["Unset", "NonSecure", "Secure"]), port: z.number() })
    .nullable(),
});

const itemsSchema = z.array(z.tuple([z.string(), z.string()]).readonly()).readonly();
const keyPathSchema = z.union([z.string(), z.array(z.string()).readonly(), z.null()]);

/** Only the page of its own origin reads what is in a record; it is checked there. */
const recordSchema = z.object({
  pair: z.custom<StoredRecord["pair"]>((value) => Array.isArray(value)),
  objects: z.custom<StoredRecord["objects"]>((value) => Array.isArray(value)),
});

export const siteSchema: z.ZodType<SiteState> = z.object({
  origin: z.string(),
  localStorage: itemsSchema,
  sessionStorage: itemsSchema,
  databases: z.array(
    z.object({
      name: z.string(),
      version: z.number(),
      stores: z.array(
        z.object({
          name: z.string(),
          keyPath: keyPathSchema,
          autoIncrement: z.boolean(),
          indexes: z.array(
            z.object({
              name: z.string(),
              keyPath: keyPathSchema,
              unique: z.boolean(),
              multiEntry: z.boolean(),
            }),
          ),
          records: z.array(recordSchema),
        }),
      ),
    }),
  ),
});

const unrestoredSchema = z.object({
  origins: z.array(z.string()).readonly(),
  /** By `cookieKey`. */
  cookies: z.array(z.string()).readonly(),
});

/** What a browser did not take of a state. */
export type Unrestored = Readonly<z.infer<typeof unrestoredSchema>>;

export const nothingUnrestored: Unrestored = { origins: [], cookies: [] };

export const stateSchema = z.object({
  version: z.literal(1),
  cookies: z.array(cookieSchema).readonly(),
  /** The one that was used last stands last. */
  sites: z.array(siteSchema).readonly(),
  /** Origins whose storage a session that runs has changed perhaps, and that are read at its end. */
  pending: z.array(z.string()).readonly(),
  /** What the browser of the session that runs was not given, so that its lack removes nothing. */
  unrestored: unrestoredSchema.default(nothingUnrestored),
});

export type StoredCookie = Readonly<z.infer<typeof cookieSchema>>;

/** What a profile holds of a browser. */
export type BrowserState = Readonly<z.infer<typeof stateSchema>>;

export const emptyState: BrowserState = {
  version: 1,
  cookies: [],
  sites: [],
  pending: [],
  unrestored: nothingUnrestored,
};

/** Whether an origin keeps nothing. */
export function isEmpty({ localStorage, sessionStorage, databases }: SiteState): boolean {
  return localStorage.length === 0 && sessionStorage.length === 0 && databases.length === 0;
}

/** Where a state has something of: the domains of cookies, the hosts of sites; sorted. */
export function domainsOf({ cookies, sites }: BrowserState): readonly string[] {
  const domains = new Set([
    ...cookies.map(({ domain }) => domain.replace(/^\./, "")),
    ...sites.filter((site) => !isEmpty(site)).map(({ origin }) => new URL(origin).hostname),
  ]);
  return [...domains].sort();
}

/** Cookies are the same when they have the same name, domain, path and partition. */
export function cookieKey({ name, domain, path, partition }: StoredCookie): string {
  const { site = null, crossSite = null } = partition ?? {};
  return JSON.stringify([name, domain, path, site, crossSite]);
}
