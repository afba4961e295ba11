import { createHash } from "node:crypto";

/**
 * Names what a server keeps in places that all servers of a machine share: cgroups, firewall
 * tables. The next server on the same data directory has the same mark, and finds it again.
 */
export function serverMark(dataDirectory: string): string {
  return `nightjar-${createHash("sha256").update(dataDirectory).digest("hex").slice(0, 12)}`;
}
