import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const cli = path.resolve(import.meta.dirname, "../../dist/cli/nightjar.js");

/** The key of the default tenant on every test server. */
export const testKey = "test-key-of-the-default-tenant";

/** What no log of a server under test may hold: keys, the tests' proxy password, signed URLs. */
const secrets: readonly RegExp[] = [
  new RegExp(testKey),
  /planted-pass/,
  /\b(?:token|ticket)=[\w-]{20,}/,
];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON object of the answer; lists stand under `items`. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface CallOptions {
  /** Null sends no key. */
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Sent as it stands, instead of `body`. */
  readonly rawBody?: string;
}

/** As the first line of the CLI says. */
const nodeOptions = ["--max-semi-space-size=4"];

/** A real server process on a data directory of its own. */
export class Nightjar {
  readonly dataDir: string;
  readonly #settings: Record<string, string>;
  readonly #runner: readonly string[];
  #process: ChildProcess | null = null;
  #url = "";
  /** Everything that the server printed, its log included. */
  output = "";
  /** For tests that take or put something behind the server's back, which it must repair. */
  mayRepairLeaks = false;

  private constructor(
    dataDir: string,
    settings: Record<string, string>,
    runner: readonly string[],
  ) {
    this.dataDir = dataDir;
    this.#settings = settings;
    this.#runner = runner;
  }

  /**
   * Starts a server on a fresh data directory in `parentDirectory`; resolves when it serves.
   * `runner`: a command to run it by, which its own command is appended to.
   */
  static async start(
    settings: Record<string, string> = {},
    parentDirectory = tmpdir(),
    runner: readonly string[] = [],
  ): Promise<Nightjar> {
    const dataDir = await mkdtemp(path.join(parentDirectory, "nightjar-test-"));
    const all = {
      NIGHTJAR_PORT: "0",
      // As `npm start` has it.
      MALLOC_ARENA_MAX: "2",
      NIGHTJAR_API_KEY: testKey,
      NIGHTJAR_WARM_POOL: "1",
      NIGHTJAR_LOG_LEVEL: "debug",
      // What a test does not stop would stay in the machine's firewall.
      NIGHTJAR_FIREWALL: "off",
      // Tests knock without a key by the hundred, all from one address.
      NIGHTJAR_MAX_FAILED_AUTHENTICATIONS: "1000000",
      // The pages of tests are served on loopback.
      NIGHTJAR_EGRESS_ALLOW: "127.0.0.0/8,::1",
      ...settings,
    };
    const server = new Nightjar(dataDir, all, runner);
    // Browsers run as other users, who must be able to pass.
    await promisify(execFile)("chmod", ["711", dataDir]);
    await server.run();
    return server;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("the server is not running");
    return pid;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.#settings, NIGHTJAR_DATA_DIR: this.dataDir };
  }

  /** Starts the process (again) on the same data directory and, after the first time, the same port. */
  async run(settings: Record<string, string> = {}): Promise<void> {
    const port = this.#url === "" ? {} : { NIGHTJAR_PORT: new URL(this.#url).port };
    const command = [...this.#runner, process.execPath, ...nodeOptions, cli, "serve"];
    const child = spawn(command[0] ?? "", command.slice(1), {
      env: { ...this.environment, ...port, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    child.stderr.on("data", (chunk) => {
      this.output += String(chunk);
    });
    this.#url = await new Promise<string>((resolve, reject) => {
      let printed = "";
      child.stdout.on("data", (chunk) => {
        this.output += String(chunk);
        printed += String(chunk);
        const url = /URL\s+(http:\S+)/.exec(printed)?.[1];
        if (url !== undefined) resolve(url);
      });
      child.once("exit", (code) =>
        reject(new Error(`the server ended (exit code ${code}):\n${this.output}`)),
      );
    });
  }

  /** Calls the API with the default tenant's key. */
  async call(method: string, route: string, options: CallOptions = {}): Promise<Answer> {
    const { key = testKey, body, rawBody, headers = {} } = options;
    const hasBody = body !== undefined || rawBody !== undefined;
    const response = await fetch(`${this.#url}${route}`, {
      method,
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(hasBody ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
      ...(hasBody ? { body: rawBody ?? JSON.stringify(body) } : {}),
    });
    const parsed: unknown = JSON.parse(await response.text());
    return {
      status: response.status,
      headers: response.headers,
      body: Array.isArray(parsed) ? { items: parsed } : (parsed as Record<string, unknown>),
    };
  }

  /** Starts a session by today's API; throws unless it is answered 200. */
  async startSession(
    body: Record<string, unknown> = {},
    key = testKey,
  ): Promise<{ readonly id: string; readonly cdpUrl: string }> {
    const answer = await this.call("POST", "/sessions/start", { body, key });
    if (answer.status !== 200) throw new Error(`not started: ${JSON.stringify(answer.body)}`);
    return { id: String(answer.body["session_id"]), cdpUrl: String(answer.body["cdp_url"]) };
  }

  /** Runs a CLI command on this server's data directory; throws when it fails. */
  async cli(...args: string[]): Promise<{ stdout: string; stderr: string }> {
    return promisify(execFile)(process.execPath, [cli, ...args], { env: this.environment });
  }

  /** Sends a signal and resolves with the exit code, or the signal's name, when the process ended. */
  async signal(signal: NodeJS.Signals): Promise<number | string | null> {
    const exited = this.exited();
    this.#process?.kill(signal);
    return exited;
  }

  /** Resolves with the exit code, or a signal's name, when the process has ended. */
  async exited(): Promise<number | string | null> {
    const child = this.#process;
    if (child === null) throw new Error("the server is not running");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    this.#process = null;
    return child.exitCode ?? child.signalCode;
  }

  /**
   * Stops the server properly and removes what it left. Throws where it had to repair leaks (every
   * part ends what it began, whatever a test did to it), and where a secret stands in what it logged.
   */
  async dispose(): Promise<void> {
    const repaired = this.#process === null ? 0 : await this.#leaksRepaired();
    if (this.#process !== null) await this.signal("SIGTERM");
    await rm(this.dataDir, { recursive: true, force: true });
    const told = this.output.split("\n").find((line) => secrets.some((one) => one.test(line)));
    if (told !== undefined) throw new Error(`the server logged a secret: ${told}`);
    if (repaired === 0 || this.mayRepairLeaks) return;
    const lines = this.output.split("\n").filter((line) => line.includes("repaired a leak"));
    throw new Error(`the server had to repair ${repaired} leaks:\n${lines.join("\n")}`);
  }

  /** 0 where the server does not answer any more. */
  async #leaksRepaired(): Promise<number> {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(`${this.#url}/health`, { signal }).catch(() => null);
    const health: unknown = await answer?.json().catch(() => null);
    return Number((health as { readonly leaks_repaired?: number } | null)?.leaks_repaired ?? 0);
  }
}
