import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runToEnd } from "./run-to-end.ts";

/** Installs packages on Debian or one of its relatives, as root; throws with what apt said. */
export async function installDebianPackages(
  packages: readonly string[],
  onProgress: (line: string) => void,
): Promise<void> {
  // apt locks are held by unattended upgrades on many a fresh machine: wait for them.
  const options = ["-q", "-o", "DPkg::Lock::Timeout=120"];
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const apt = (title: string, args: readonly string[]) =>
    runToEnd("apt-get", [...options, ...args], {
      title,
      onProgress,
      environment,
      timeLimitMs: 15 * 60_000,
      relay: /^Need to get/,
    });
  await apt("Reading the list of Debian's packages", ["update"]);
  const names =
    packages.length === 1
      ? `the package ${packages[0]}`
      : `the packages ${packages.slice(0, -1).join(", ")} and ${packages.at(-1)}`;
  await apt(`Installing ${names}`, ["install", "-y", "--no-install-recommends", ...packages]);
}

/** What a distribution calls itself, and those that it is made from. */
export interface OsRelease {
  readonly id: string;
  readonly likeIds: readonly string[];
}

/** Whether this is Debian or one of its relatives. */
export function isDebian({ id, likeIds }: OsRelease): boolean {
  return id === "debian" || likeIds.includes("debian");
}

/** The ids of the distribution whose root is at `rootDirectory`; empty where it does not say. */
export async function readOsRelease(rootDirectory: string): Promise<OsRelease> {
  const path = join(rootDirectory, "etc", "os-release");
  const text = await readFile(path, "utf8").catch(() => "");
  const value = (name: string) =>
    new RegExp(`^${name}=["']?([^"'\\n]*)`, "m").exec(text)?.[1]?.trim() ?? "";
  return { id: value("ID"), likeIds: value("ID_LIKE").split(/\s+/).filter(Boolean) };
}
