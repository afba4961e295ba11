import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { browserAge, findChromium, type Machine, obstacleToOthers } from "./chromium.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "nightjar-chromium-"));
  // Other users get in, as they do below / on a real machine.
  await chmod(directory, 0o755);
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A machine with nothing on it: its / and its home directory are empty folders. */
function emptyMachine(changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    environment: { PATH: join(directory, "usr/bin") },
    homeDirectory: join(directory, "home"),
    rootDirectory: directory,
    isRoot: false,
    versionTimeLimitMs: 10_000,
    ...changes,
  };
}

async function placeScript(path: string, body: string): Promise<string> {
  const whole = join(directory, path);
  await mkdir(dirname(whole), { recursive: true, mode: 0o755 });
  await writeFile(whole, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return whole;
}

function placeBrowser(path: string, version = "150.0.7871.46"): Promise<string> {
  return placeScript(path, `echo "Chromium ${version} built on a test"`);
}

async function placePlaywrightBrowser(folder: string, path: string, version: string) {
  const whole = await placeBrowser(join(folder, path), version);
  await writeFile(join(directory, folder, "INSTALLATION_COMPLETE"), "");
  return whole;
}

function search(changes: { chromiumPath?: string; headlessShellPath?: string } = {}) {
  return {
    chromiumPath: null,
    headlessShellPath: null,
    dataDir: join(directory, "data"),
    ...changes,
  };
}

describe("the order of the search", () => {
  test("finds nothing, and rejects nothing, on a machine without a browser", async () => {
    expect(await findChromium(search(), emptyMachine())).toEqual({
      headlessShell: null,
      chromium: null,
      rejected: [],
    });
  });

  test("takes what a setting names before an installed browser", async () => {
    await placeBrowser("usr/lib/chromium/chromium", "156.0.1.1");
    const set = await placeBrowser("opt/mine/browser", "155.0.8059.79");
    const found = await findChromium(search({ chromiumPath: set }), emptyMachine());
    expect(found.chromium).toEqual({
      path: set,
      kind: "chromium",
      version: "155.0.8059.79",
      majorVersion: 155,
      source: "setting",
    });
  });

  test("resolves each kind on its own: a setting for one leaves the other to be found", async () => {
    const shell = await placeBrowser("usr/lib/chromium/chromium-headless-shell");
    const set = await placeBrowser("opt/mine/browser");
    const found = await findChromium(search({ chromiumPath: set }), emptyMachine());
    expect(found.chromium?.source).toBe("setting");
    expect(found.headlessShell).toMatchObject({
      path: shell,
      kind: "headless-shell",
      source: "system",
    });
  });

  test("prefers Debian's ELF binaries to the scripts on PATH", async () => {
    const names = ["chromium", "chromium-headless-shell"];
    for (const name of names) await placeBrowser(`usr/bin/${name}`);
    for (const name of names) await placeBrowser(`usr/lib/chromium/${name}`);
    const found = await findChromium(search(), emptyMachine());
    expect(found.chromium?.path).toBe(join(directory, "usr/lib/chromium/chromium"));
    expect(found.headlessShell?.path).toBe(
      join(directory, "usr/lib/chromium/chromium-headless-shell"),
    );
  });

  test("finds Google Chrome by its name on PATH, and ignores relative entries of PATH", async () => {
    const chrome = await placeScript(
      "usr/bin/google-chrome",
      'echo "Google Chrome for Testing 156.0.8078.79"',
    );
    const environment = { PATH: `bin:.:${join(directory, "usr/bin")}` };
    const found = await findChromium(search(), emptyMachine({ environment }));
    expect(found.chromium).toMatchObject({ path: chrome, version: "156.0.8078.79" });
  });

  test("finds applications on macOS, of the machine and of the user", async () => {
    const path = "Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    const ofUser = await placeBrowser(join("home", path));
    const mac = emptyMachine({ platform: "darwin" });
    expect((await findChromium(search(), mac)).chromium?.path).toBe(ofUser);
    const ofMachine = await placeBrowser(path);
    expect((await findChromium(search(), mac)).chromium?.path).toBe(ofMachine);
  });

  test("takes the newest of Playwright's cache, by number and not by letter", async () => {
    const cache = "home/.cache/ms-playwright";
    await placePlaywrightBrowser(`${cache}/chromium-999`, "chrome-linux/chrome", "120.0.1.1");
    await placePlaywrightBrowser(`${cache}/chromium-1255`, "chrome-linux64/chrome", "159.0.8154.6");
    await placePlaywrightBrowser(
      `${cache}/chromium_headless_shell-1255`,
      "chrome-headless-shell-linux64/chrome-headless-shell",
      "159.0.8154.6",
    );
    const found = await findChromium(search(), emptyMachine());
    expect(found.chromium).toMatchObject({ majorVersion: 159, source: "playwright-cache" });
    expect(found.headlessShell).toMatchObject({ majorVersion: 159, source: "playwright-cache" });
  });

  test("passes over a download of Playwright's that was cut short", async () => {
    const cache = "home/.cache/ms-playwright";
    await placeBrowser(`${cache}/chromium-1300/chrome-linux64/chrome`, "160.0.1.1");
    await placePlaywrightBrowser(`${cache}/chromium-1255`, "chrome-linux64/chrome", "159.0.1.1");
    expect((await findChromium(search(), emptyMachine())).chromium?.majorVersion).toBe(159);
  });

  test("looks where PLAYWRIGHT_BROWSERS_PATH and XDG_CACHE_HOME point, and in macOS's cache", async () => {
    const inNamed = await placePlaywrightBrowser(
      "named/chromium-1",
      "chrome-linux64/chrome",
      "1.0.0.1",
    );
    const named = emptyMachine({
      environment: { PLAYWRIGHT_BROWSERS_PATH: join(directory, "named") },
    });
    expect((await findChromium(search(), named)).chromium?.path).toBe(inNamed);

    const inCache = await placePlaywrightBrowser(
      "xdg/ms-playwright/chromium-1",
      "chrome-linux64/chrome",
      "1.0.0.1",
    );
    const xdg = emptyMachine({ environment: { XDG_CACHE_HOME: join(directory, "xdg") } });
    expect((await findChromium(search(), xdg)).chromium?.path).toBe(inCache);

    const onMac = await placePlaywrightBrowser(
      "home/Library/Caches/ms-playwright/chromium-1",
      "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
      "1.0.0.1",
    );
    const mac = emptyMachine({ platform: "darwin", environment: {} });
    expect((await findChromium(search(), mac)).chromium?.path).toBe(onMac);
  });

  test("goes system, Playwright's cache, then what the install step placed", async () => {
    const shell = "chrome-headless-shell-linux64/chrome-headless-shell";
    await placeBrowser("data/chromium/sparticuz/chromium-headless-shell", "153.0.1.1");
    const sources: unknown[] = [];
    const look = async () => {
      const { headlessShell } = await findChromium(search(), emptyMachine());
      sources.push([headlessShell?.source, headlessShell?.majorVersion]);
    };
    await look();
    const bundled = "data/chromium/playwright/chromium_headless_shell-1";
    await placePlaywrightBrowser(bundled, shell, "157.0.1.1");
    await look();
    const cached = "home/.cache/ms-playwright/chromium_headless_shell-1";
    await placePlaywrightBrowser(cached, shell, "158.0.1.1");
    await look();
    await placeBrowser("usr/bin/chromium-headless-shell", "156.0.1.1");
    await look();
    expect(sources).toEqual([
      ["bundled", 153],
      ["bundled", 157],
      ["playwright-cache", 158],
      ["system", 156],
    ]);
  });
});

describe("what cannot be used", () => {
  test("a setting that names nothing stops the search with the setting's name", async () => {
    const missing = join(directory, "nowhere");
    await expect(findChromium(search({ chromiumPath: missing }), emptyMachine())).rejects.toThrow(
      `NIGHTJAR_CHROMIUM names ${missing}, which does not exist`,
    );
    await expect(
      findChromium(search({ headlessShellPath: missing }), emptyMachine()),
    ).rejects.toThrow(`NIGHTJAR_HEADLESS_SHELL names ${missing}, which does not exist`);
  });

  test("a setting that names something else than a browser stops the search too", async () => {
    const other = await placeScript("usr/bin/other", 'echo "Firefox 150.0.1.1"');
    await placeBrowser("usr/lib/chromium/chromium");
    await expect(findChromium(search({ chromiumPath: other }), emptyMachine())).rejects.toThrow(
      /NIGHTJAR_CHROMIUM names .*other, which does not answer to --version: no version of Chromium .*Firefox/,
    );
    await expect(findChromium(search({ chromiumPath: directory }), emptyMachine())).rejects.toThrow(
      "is not a file",
    );
  });

  test("a broken browser is passed over, with what it said, for the next one", async () => {
    const broken = await placeScript(
      "usr/lib/chromium/chromium",
      "echo 'libnss3.so: cannot open shared object file' >&2; exit 127",
    );
    const working = await placeBrowser("usr/bin/chromium");
    const found = await findChromium(search(), emptyMachine());
    expect(found.chromium?.path).toBe(working);
    expect(found.rejected).toEqual([
      {
        path: broken,
        reason:
          "does not answer to --version: exit code 127 (libnss3.so: cannot open shared object file)",
      },
    ]);
  });

  test("a file that is not executable is passed over", async () => {
    const path = await placeBrowser("usr/lib/chromium/chromium");
    await chmod(path, 0o644);
    const { chromium, rejected } = await findChromium(search(), emptyMachine());
    expect(chromium).toBeNull();
    expect(rejected).toEqual([{ path, reason: "is not executable" }]);
  });

  test("a browser that hangs is ended, with all that it started, at the time limit", async () => {
    const pidFile = join(directory, "pid");
    const path = await placeScript("usr/bin/chromium", `sleep 600 & echo $! > ${pidFile}; wait`);
    const machine = emptyMachine({
      environment: { PATH: `${join(directory, "usr/bin")}:/usr/bin:/bin` },
      versionTimeLimitMs: 500,
    });
    const { rejected } = await findChromium(search(), machine);
    expect(rejected[0]).toEqual({
      path,
      reason: "does not answer to --version: no answer in 0.5 s",
    });
    const pid = Number(await readFile(pidFile, "utf8"));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test("Ubuntu's scripts around a snap are passed over without running them", async () => {
    const ran = join(directory, "ran");
    const path = await placeScript(
      "usr/bin/chromium-browser",
      `touch ${ran}; exec /snap/bin/chromium "$@"`,
    );
    const { chromium, rejected } = await findChromium(search(), emptyMachine());
    expect(chromium).toBeNull();
    expect(rejected).toEqual([{ path, reason: expect.stringContaining("is a snap") }]);
    expect(existsSync(ran)).toBe(false);
  });

  test("the executable does not see our environment, where the API key may be", async () => {
    process.env["NIGHTJAR_API_KEY"] = "secret";
    try {
      await placeScript(
        "usr/bin/chromium",
        'echo "Chromium 150.0.1.1"; [ -z "$NIGHTJAR_API_KEY" ]',
      );
      expect((await findChromium(search(), emptyMachine())).chromium?.version).toBe("150.0.1.1");
    } finally {
      delete process.env["NIGHTJAR_API_KEY"];
    }
  });
});

describe("for a root server, whose sessions run under other user ids", () => {
  test("a browser in a private directory is passed over, naming the directory", async () => {
    const cached = await placePlaywrightBrowser(
      "home/.cache/ms-playwright/chromium-1",
      "chrome-linux64/chrome",
      "158.0.1.1",
    );
    const open = await placePlaywrightBrowser(
      "data/chromium/playwright/chromium-1",
      "chrome-linux64/chrome",
      "157.0.1.1",
    );
    const home = join(directory, "home");
    await chmod(home, 0o700);
    const found = await findChromium(search(), emptyMachine({ isRoot: true }));
    expect(found.chromium).toMatchObject({ path: open, source: "bundled" });
    expect(found.rejected).toEqual([
      {
        path: cached,
        reason: `session users cannot run, because the directory ${home} has mode 0700`,
      },
    ]);
    const asUser = await findChromium(search(), emptyMachine({ isRoot: false }));
    expect(asUser.chromium?.path).toBe(cached);
  });

  test("so is one behind a link that leads into a private directory", async () => {
    const target = await placeBrowser("private/chromium");
    await chmod(join(directory, "private"), 0o700);
    await mkdir(join(directory, "usr/bin"), { recursive: true });
    await symlink(target, join(directory, "usr/bin/chromium"));
    const { chromium, rejected } = await findChromium(search(), emptyMachine({ isRoot: true }));
    expect(chromium).toBeNull();
    expect(rejected[0]?.reason).toContain(`${join(directory, "private")} has mode 0700`);
  });

  test("so is one that only its owner may run, and a setting is refused for it", async () => {
    const path = await placeBrowser("usr/lib/chromium/chromium");
    await chmod(path, 0o750);
    const root = emptyMachine({ isRoot: true });
    expect((await findChromium(search(), root)).rejected[0]?.reason).toContain("has mode 0750");
    await expect(findChromium(search({ chromiumPath: path }), root)).rejects.toThrow(
      /NIGHTJAR_CHROMIUM names .* session users cannot run, because .* has mode 0750/,
    );
  });

  test.runIf(process.getuid?.() === 0)("root does not run it: nobody does", async () => {
    const path = await placeScript("usr/bin/chromium", 'echo "Chromium $(id -u).0.0.1"');
    const machine = emptyMachine({
      isRoot: true,
      environment: { PATH: `${join(directory, "usr/bin")}:/usr/bin:/bin` },
    });
    const { chromium } = await findChromium(search(), machine);
    expect(chromium).toMatchObject({ path, version: "65534.0.0.1" });
  });

  test("a directory is open to others when it and all above it can be entered", async () => {
    const inner = join(directory, "outer/inner");
    await mkdir(inner, { recursive: true });
    expect(await obstacleToOthers(inner)).toBeNull();
    await chmod(join(directory, "outer"), 0o750);
    expect(await obstacleToOthers(inner)).toBe(
      `the directory ${join(directory, "outer")} has mode 0750`,
    );
  });
});

test.runIf(existsSync("/usr/lib/chromium/chromium-headless-shell"))(
  "finds Debian's real packages on this machine",
  async () => {
    const { chromium, headlessShell } = await findChromium(search());
    expect(headlessShell).toMatchObject({
      path: "/usr/lib/chromium/chromium-headless-shell",
      kind: "headless-shell",
      source: "system",
    });
    expect(headlessShell?.version).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(chromium?.majorVersion ?? 0).toBeGreaterThan(100);
  },
);

describe("the age of a browser by Chromium's calendar", () => {
  test.each([
    [150, "2026-06-30"],
    [151, "2026-07-28"],
    [152, "2026-08-25"],
    [153, "2026-09-08"],
    [154, "2026-09-22"],
    [156, "2026-10-20"],
    [159, "2026-12-08"],
  ])("version %i became stable on %s", (version, date) => {
    expect(browserAge(version, new Date(date)).ageDays).toBe(0);
    expect(browserAge(version, new Date(Date.parse(date) + 86_400_000)).ageDays).toBe(1);
  });

  test("is old after 90 days, not on the ninetieth", () => {
    expect(browserAge(153, new Date("2026-12-07"))).toEqual({ ageDays: 90, old: false });
    expect(browserAge(153, new Date("2026-12-08"))).toEqual({ ageDays: 91, old: true });
  });

  test("is nothing for a version that is not yet out", () => {
    expect(browserAge(170, new Date("2026-11-24"))).toEqual({ ageDays: 0, old: false });
  });

  test("is known within two months for versions of years ago: 94 came on 2021-09-21", () => {
    const { ageDays, old } = browserAge(94, new Date("2026-09-21"));
    expect(Math.abs(ageDays - 5 * 365)).toBeLessThan(60);
    expect(old).toBe(true);
  });
});

function isAlive(pid: number): boolean {
  // Not kill(pid, 0): where process 1 reaps nothing, as in a container, a dead orphan stays listed.
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}
