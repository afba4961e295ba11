import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureFirewallTool, type FirewallMachine } from "./firewall-install.ts";

let directory: string;
let installed: string[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-firewall-"));
  installed = [];
  await mkdir(path.join(directory, "etc"));
  await writeFile(path.join(directory, "etc/os-release"), "ID=ubuntu\nID_LIKE=debian\n");
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const machine = (changes: Partial<FirewallMachine> = {}): FirewallMachine => ({
  environment: { PATH: directory },
  rootDirectory: directory,
  isLinux: true,
  isRoot: true,
  ...changes,
});

const ensure = (
  changes: Partial<FirewallMachine> = {},
  mode: "auto" | "off" | "required" = "auto",
  install = async (packages: readonly string[]) => void installed.push(...packages),
) => ensureFirewallTool(mode, () => {}, machine(changes), install);

describe("the firewall's tool", () => {
  it("is installed for root on Debian and its relatives, where there is none", async () => {
    expect(await ensure()).toBeNull();
    expect(installed).toEqual(["nftables"]);
  });

  it("is left alone where it is there, or where no firewall is raised", async () => {
    for (const other of [{ isRoot: false }, { isLinux: false }]) {
      expect(await ensure(other)).toBeNull();
    }
    expect(await ensure({}, "off")).toBeNull();
    const file = path.join(directory, "nft");
    await writeFile(file, "");
    await chmod(file, 0o755);
    expect(await ensure({}, "required")).toBeNull();
    expect(installed).toEqual([]);
  });

  it("is asked of the operator where it cannot be installed", async () => {
    const failing = () => Promise.reject(new Error("apt-get exited with 100: no network"));
    expect(await ensure({}, "auto", failing)).toMatch(/Install nftables.* no network\.$/);
    await writeFile(path.join(directory, "etc/os-release"), "ID=alpine\n");
    expect(await ensure()).toContain("Install nftables, or set NIGHTJAR_FIREWALL=off.");
    expect(installed).toEqual([]);
  });
});
