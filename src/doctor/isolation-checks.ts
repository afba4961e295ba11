import { existsSync, readFileSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import path from "node:path";
import { findMemoryCapWay } from "../browsers/choose-memory-caps.ts";
import { firewallObstacle, firewallOptions } from "../browsers/firewall.ts";
import { passageProblem, userIdCount } from "../browsers/isolation.ts";
import type { Config } from "../config.ts";
import { messageOf } from "../sessions/errors.ts";
import type { DataDirectory } from "../store/data-directory.ts";
import { type Check, checkOf, type ServerHealth } from "./check.ts";

/** The directory itself, or the nearest one above it that is there. */
export function existingPlace(directory: string): string {
  return existsSync(directory) ? directory : existingPlace(path.dirname(directory));
}

/** Whether the server can write there, and browsers can pass. */
export async function checkDataDirectory({
  root,
  browsersDirectory,
}: DataDirectory): Promise<Check> {
  const check = checkOf("data directory");
  const place = existingPlace(root);
  try {
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return check.problem(
      `${place} cannot be written to by this user (${process.getuid?.()}): run this as the user of the server, give it the directory (chown), or choose another NIGHTJAR_DATA_DIR.`,
    );
  }
  const closed = await passageProblem(existingPlace(browsersDirectory));
  if (closed !== null) return check.problem(closed);
  return check.ok(place === root ? root : `${root} can be made`);
}

/** Whether the user ids that browsers get belong to nobody else. */
export function checkUsers({ firstUid }: Config): Check {
  const check = checkOf("user ids");
  if (process.getuid?.() !== 0) {
    return check.ok("the server is not root, so all browsers are its own user's");
  }
  const last = firstUid + userIdCount - 1;
  const [taken] = knownUsers().filter(({ uid }) => uid >= firstUid && uid <= last);
  if (taken === undefined) return check.ok(`${firstUid} to ${last} are for browsers`);
  return check.problem(
    `${firstUid} to ${last} are for browsers, but ${taken.uid} is ${taken.name}'s, whose files and processes they could touch: choose another NIGHTJAR_FIRST_UID.`,
  );
}

/** passwd(5) */
function knownUsers(): readonly { readonly name: string; readonly uid: number }[] {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .map(([name = "", , uid]) => ({ name, uid: Number(uid) }));
  } catch {
    return [];
  }
}

/** What holds sessions to their memory: as the running server has found, or as found from here. */
export function checkMemoryCap(config: Config, server: ServerHealth | null): Check {
  const check = checkOf("memory cap");
  const limit = `${config.sessionMemoryBytes / 1024 ** 2} MB a session`;
  if (server !== null) return check.ok(`${limit}, by ${server.memoryCap} (the server says)`);
  try {
    const way = findMemoryCapWay({ way: config.memoryCap, limitBytes: config.sessionMemoryBytes });
    if (typeof way !== "string") return check.ok(`${limit}, by cgroup ${way.version}`);
    if (way === "watchdog") {
      return check.ok(
        `${limit}, by a watchdog, since no memory cgroups can be made from here or NIGHTJAR_MEMORY_CAP says so`,
      );
    }
    return check.warning(
      "Nothing holds sessions to their memory, so one may take all: set NIGHTJAR_SESSION_MEMORY_MB (on Linux).",
    );
  } catch (error) {
    return check.problem(messageOf(error));
  }
}

export async function checkFirewall(
  config: Config,
  { root }: DataDirectory,
  server: ServerHealth | null,
): Promise<Check> {
  const check = checkOf("firewall");
  if (server?.devtoolsClosed === true) return check.ok("in force (the server says)");
  const options = firewallOptions(config.firstUid, root);
  const obstacle = await firewallObstacle(config.firewall, options);
  if (obstacle === null) return check.ok("nft can raise it");
  if (config.firewall === "required") {
    return check.problem(
      `It cannot be raised, and NIGHTJAR_FIREWALL=required asks for it: ${obstacle}. Install nftables, run as root, and give a container the capability NET_ADMIN.`,
    );
  }
  if (config.firewall === "off" || process.getuid?.() !== 0) return check.ok(`none: ${obstacle}`);
  return check.warning(
    `There is none (${obstacle}), so other users of this machine can reach the DevTools ports of sessions: install nftables, and give a container the capability NET_ADMIN.`,
  );
}
