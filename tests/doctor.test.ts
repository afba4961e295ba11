/** @module-tag long */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findCgroupPlace } from "../src/browsers/cgroup-place.ts";
import { serverMark } from "../src/browsers/server-mark.ts";
import { Nightjar } from "./support/nightjar.ts";
import { browserDirectories, mainProcesses } from "./support/processes.ts";

const cli = path.resolve(import.meta.dirname, "../dist/cli/nightjar.js");

/** On a busy machine, too. */
const soon = { timeout: 20_000, interval: 50 };

const diagnosisSchema = z.object({
  status: z.enum(["ok", "warning", "problem"]),
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(["ok", "warning", "problem"]),
      message: z.string().regex(/^[^\n]+$/),
    }),
  ),
  left_over: z.array(z.object({ kind: z.string(), name: z.string() })),
});

interface Run {
  readonly code: number;
  readonly stdout: string;
}

/** Runs `nightjar doctor` in an environment. */
function runDoctor(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, "doctor", ...args], { env: environment }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    );
  });
}

/** The answer for machines: all problems, the checks by name, and what was left over. */
async function diagnose(environment: NodeJS.ProcessEnv) {
  const { code, stdout } = await runDoctor(environment, "--json");
  const { status, checks, left_over } = diagnosisSchema.parse(JSON.parse(stdout));
  expect(code).toBe(status === "problem" ? 1 : 0);
  return {
    problems: checks.filter((check) => check.status === "problem"),
    of: (name: string) => checks.filter((check) => check.name === name),
    leftOver: left_over.map(({ kind, name }) => `${kind} ${name}`).sort(),
  };
}

const planted: ChildProcess[] = [];

afterAll(() => {
  for (const child of planted) child.kill("SIGKILL");
});

/** A process that looks like a browser of a data directory. */
function plantProcess(dataDir: string, id: string): ChildProcess {
  const argument = `--user-data-dir=${path.join(dataDir, "browsers", id)}/profile`;
  const script = "setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ["-e", script, "--", argument], { stdio: "ignore" });
  planted.push(child);
  return child;
}

describe("nightjar doctor on a host without a server", () => {
  let scratch: string;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "nightjar-doctor-test-"));
    environment = {
      ...process.env,
      NIGHTJAR_DATA_DIR: path.join(tmpdir(), path.basename(scratch), "data"),
      NIGHTJAR_PORT: "0",
      NIGHTJAR_FIREWALL: "off",
    };
    await new Promise((resolve) => execFile("chmod", ["711", scratch], resolve));
  });

  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test("that can serve finds no problem, launches every browser, and leaves nothing", async () => {
    const before = readdirSync(scratch);
    const { code, stdout } = await runDoctor(environment);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok +node +\d+/m);
    expect(stdout).toMatch(/^(?:ok|warning) +browser +.* is ready in \d+ ms/m);
    expect(stdout).toMatch(/^ok +sandbox/m);
    expect(stdout).toMatch(/^ok +leaks +nothing is left over$/m);
    expect(stdout).toMatch(/^problems: 0, warnings: \d+$/m);
    expect(readdirSync(scratch)).toEqual(before);
  });

  test("whose settings lead to nothing names each, says what to do, and fails", async () => {
    const { problems } = await diagnose({
      ...environment,
      NIGHTJAR_CHROMIUM: "/nowhere/chromium",
      NIGHTJAR_DISK_RESERVE_MB: "9000000",
      NIGHTJAR_MEMORY_RESERVE_MB: "9000000",
      NIGHTJAR_FFMPEG: "/nowhere/ffmpeg",
      NIGHTJAR_HOST: "192.0.2.1",
    });
    const messages = Object.fromEntries(problems.map(({ name, message }) => [name, message]));
    expect(messages).toEqual({
      browser: expect.stringMatching(
        /NIGHTJAR_CHROMIUM names \/nowhere\/chromium, which does not exist. Set it to/,
      ),
      disk: expect.stringMatching(/no session starts\. Free some/),
      memory: expect.stringMatching(/too little for another session.* End other programs/),
      port: expect.stringMatching(/cannot be listened on .*choose another NIGHTJAR_HOST/),
    });
  });

  test("without an encoder is warned of, and does not fail", async () => {
    const { problems, of } = await diagnose({ ...environment, NIGHTJAR_FFMPEG: "/nowhere/ffmpeg" });
    expect(problems).toEqual([]);
    expect(of("encoder")).toMatchObject([
      { status: "warning", message: expect.stringMatching(/no replays: .*Install ffmpeg/) },
    ]);
  });

  test.runIf(process.getuid?.() === 0)(
    "whose data directory lets no browser pass, or whose user ids are somebody's, is told so",
    async () => {
      const closed = await mkdtemp(path.join(scratch, "closed-"));
      const { problems } = await diagnose({
        ...environment,
        NIGHTJAR_DATA_DIR: path.join(closed, "data"),
        NIGHTJAR_FIRST_UID: "1",
      });
      expect(problems.map(({ name }) => name)).toEqual(["data directory", "user ids"]);
      expect(problems[0]?.message).toContain(`chmod o+x ${closed}`);
      expect(problems[1]?.message).toContain("choose another NIGHTJAR_FIRST_UID");
    },
  );
});

describe("nightjar doctor on the data directory of a server", () => {
  let server: Nightjar;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2" });
    environment = server.environment;
  });

  afterAll(() => server?.dispose());

  test("that runs with sessions and warm browsers reports nothing, and disturbs nothing", async () => {
    const { id } = await server.startSession();
    const [first, second] = await Promise.all([diagnose(environment), churn()]);
    expect(first.problems).toEqual([]);
    expect(first.leftOver).toEqual([]);
    expect(first.of("server")).toMatchObject([
      { status: "ok", message: expect.stringContaining(server.url) },
    ]);
    expect(first.of("leaks")).toMatchObject([{ status: "ok" }]);
    expect(second).toBe(3);
    expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
    await server.call("DELETE", `/sessions/${id}/stop`);
  });

  /** Sessions that come and go meanwhile. */
  async function churn(): Promise<number> {
    for (let count = 1; ; count += 1) {
      const { id } = await server.startSession();
      await server.call("DELETE", `/sessions/${id}/stop`);
      if (count === 3) return count;
    }
  }

  test("that was killed tells what it left, repairs nothing, and the next start does", {
    tags: ["long"],
    timeout: 90_000,
  }, async () => {
    const { id } = await server.startSession();
    const lost = await server.startSession();
    // A warm one, which no row owns, becomes an orphan.
    await expect
      .poll(async () => (await server.call("GET", "/health")).body["warm_browsers"], soon)
      .toBeGreaterThan(0);
    const browserOf = await browsersBySession();
    const lostBrowser = browserOf.get(lost.id) ?? "";
    const lostPid = (await mainProcesses(server.dataDir)).get(lostBrowser)?.pid;
    await server.signal("SIGKILL");
    process.kill(lostPid ?? 0, "SIGKILL");
    await expect
      .poll(async () => (await mainProcesses(server.dataDir)).has(lostBrowser), soon)
      .toBe(false);
    const directory = "ba9876543210";
    mkdirSync(path.join(server.dataDir, "browsers", directory));
    const recording = crypto.randomUUID();
    mkdirSync(path.join(server.dataDir, "recordings", recording));
    const place = findCgroupPlace();
    const cgroup = "aaaabbbbcccc";
    if (place !== null) mkdirSync(path.join(place.directory, serverMark(server.dataDir), cgroup));
    const orphan = plantProcess(server.dataDir, "0123456789ab");

    const { problems, leftOver, of } = await diagnose(environment);
    expect(problems).toEqual([]);
    const isLeft = (browser: string): boolean => browser !== browserOf.get(id);
    const running = [...(await mainProcesses(server.dataDir)).keys()].filter(isLeft);
    expect(running.length).toBeGreaterThanOrEqual(2);
    const directories = (await browserDirectories(server.dataDir)).filter(isLeft);
    expect(directories).toContain(lostBrowser);
    expect(directories).toContain(directory);
    expect(leftOver).toEqual(
      [
        `row ${lost.id}`,
        ...running.map((browser) => `process ${browser}`),
        ...directories.map((browser) => `directory ${browser}`),
        `recording ${recording}`,
        ...(place === null ? [] : [`cgroup ${cgroup}`]),
      ].sort(),
    );
    expect(of("leaks")).toMatchObject([
      {
        status: "warning",
        message: expect.stringMatching(/1 sessions wait for the next start\. Start the server/),
      },
    ]);
    // Nothing of it was touched.
    expect(running).toContain("0123456789ab");
    expect(orphan.exitCode).toBe(null);
    expect(orphan.signalCode).toBe(null);
    expect(existsSync(path.join(server.dataDir, "browsers", directory))).toBe(true);

    await server.run();
    expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
    await expect.poll(() => orphan.signalCode, soon).toBe("SIGKILL");
    await server.call("DELETE", `/sessions/${id}/stop`);
    await server.signal("SIGTERM");
    const after = await diagnose(environment);
    expect(after.leftOver).toEqual([]);
    expect(after.of("leaks")).toMatchObject([{ status: "ok" }]);
  });

  /** The ids of the browsers that sessions have. */
  async function browsersBySession(): Promise<ReadonlyMap<string, string>> {
    const file = path.join(server.dataDir, "nightjar.db");
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const rows = database
        .prepare("select id, browser_reference from sessions where status = 'active'")
        .all();
      return new Map(
        rows.map((row) => {
          const reference = z
            .object({ id: z.string() })
            .parse(JSON.parse(String(row["browser_reference"])));
          return [String(row["id"]), reference.id];
        }),
      );
    } finally {
      database.close();
    }
  }
});
