import { z } from "zod";
import type { ProxySettings } from "../../sessions/browser-settings.ts";

/** Where a session's traffic goes, beyond what holds for all: kept in its browser's reference. */
export interface EgressRoute {
  /** Null for none. */
  readonly proxy: ProxySettings | null;
  /** Addresses and CIDR blocks that its tenant may reach beside those that everyone may. */
  readonly allow: readonly string[];
}

export const noRoute: EgressRoute = { proxy: null, allow: [] };

export const egressRouteSchema = z.object({
  proxy: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("default") }),
      z.object({
        kind: z.literal("external"),
        server: z.string(),
        username: z.string().nullable(),
        password: z.string().nullable(),
        bypass: z.array(z.string()).readonly(),
      }),
    ])
    .nullable(),
  allow: z.array(z.string()).readonly(),
});
