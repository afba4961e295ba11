import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EncoderMachine, ensureEncoder, findEncoder } from "./encoder-install.ts";

let directory: string;
let bin: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-encoder-"));
  // It runs as another user where the tests are root.
  await chmod(directory, 0o755);
  bin = path.join(directory, "bin");
  await mkdir(bin);
  await mkdir(path.join(directory, "root/etc"), { recursive: true });
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const machine = (changes: Partial<EncoderMachine> = {}): EncoderMachine => ({
  environment: { PATH: `relative${path.delimiter}${bin}` },
  rootDirectory: path.join(directory, "root"),
  isRoot: true,
  ...changes,
});

const osRelease = (text: string) => writeFile(path.join(directory, "root/etc/os-release"), text);

async function placeFfmpeg(answer: string): Promise<string> {
  const file = path.join(bin, "ffmpeg");
  await writeFile(file, `#!/bin/sh\necho '${answer}'\n`);
  await chmod(file, 0o755);
  return file;
}

const good = "ffmpeg version 7.1.1-1 Copyright\nconfiguration: --enable-gpl --enable-libx264";

describe("the encoder", () => {
  it("is found in PATH, or where it is said to be", async () => {
    const file = await placeFfmpeg(good);
    const found = { ffmpeg: { path: file, version: "7.1.1-1" }, problem: null };
    expect(await findEncoder(null, machine())).toEqual(found);
    expect(await findEncoder(file, machine({ environment: {} }))).toEqual(found);
  });

  it("is refused in words where it cannot be used", async () => {
    const problem = async (file: string | null) => (await findEncoder(file, machine())).problem;
    expect(await problem(null)).toMatch(/^There is no ffmpeg on this machine\. Install ffmpeg/);
    expect(await problem("/nowhere/ffmpeg")).toContain("/nowhere/ffmpeg is not there");
    await placeFfmpeg("ffmpeg version 7.1 Copyright\nconfiguration: --enable-libopenh264");
    expect(await problem(null)).toContain("(ffmpeg 7.1) was built without libx264");
    await placeFfmpeg("something else");
    expect(await problem(null)).toContain("is no ffmpeg");
  });

  it("is installed as Debian's package on Debian and Ubuntu, as root, where there is none", async () => {
    const installed: string[] = [];
    const install = async (packages: readonly string[]) => {
      installed.push(...packages);
      await placeFfmpeg(good);
    };
    const ensure = (on: EncoderMachine) => ensureEncoder(null, () => {}, on, install);
    await osRelease("ID=fedora\n");
    expect((await ensure(machine())).ffmpeg).toBeNull();
    await osRelease("ID=ubuntu\nID_LIKE=debian\n");
    expect((await ensure(machine({ isRoot: false }))).ffmpeg).toBeNull();
    expect(installed).toEqual([]);
    expect((await ensure(machine())).ffmpeg?.version).toBe("7.1.1-1");
    expect((await ensure(machine())).ffmpeg?.version).toBe("7.1.1-1");
    expect(installed).toEqual(["ffmpeg"]);
  });

  it("is not replaced where the operator named one, and a failed installation is said", async () => {
    await osRelease("ID=debian\n");
    const install = async () => {
      throw new Error("apt-get exited with 100: Could not resolve");
    };
    const named = await ensureEncoder("/nowhere/ffmpeg", () => {}, machine(), install);
    expect(named.problem).not.toContain("apt-get exited");
    const failed = await ensureEncoder(null, () => {}, machine(), install);
    expect(failed.problem).toContain("apt-get exited with 100: Could not resolve");
  });
});
