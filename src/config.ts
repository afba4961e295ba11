import { isIP } from "node:net";
import path from "node:path";
import { z } from "zod";
import { memoryCapWays } from "./browsers/choose-memory-caps.ts";
import { isAddressBlock } from "./browsers/egress/address-policy.ts";
import { isHostPattern } from "./browsers/egress/host-patterns.ts";
import { parseUpstream } from "./browsers/egress/upstream.ts";
import { firewallModes } from "./browsers/firewall.ts";
import { availableMemory } from "./host/available-memory.ts";
import { bytesPerSession } from "./sessions/host-room.ts";

/** A whole number, written in digits: an empty text is no number. */
const whole = (schema: z.ZodNumber) =>
  z.string().regex(/^\d+$/, "must be a whole number").transform(Number).pipe(schema);
const bytesPerMb = 1024 * 1024;
const flag = z.stringbool({ truthy: ["1", "true"], falsy: ["0", "false"] });
const optionalPath = z
  .string()
  .min(1)
  .transform((value) => path.resolve(value));

/** A list separated by commas. */
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

/** Patterns of hosts; empty for none. */
const hostPatterns = list
  .pipe(
    z.array(z.string().refine(isHostPattern, "must be hosts, e.g. example.com or *.example.com")),
  )
  .prefault("");

const isDnsServer = (text: string): boolean => {
  const address = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+)(?::\d+)?$/.exec(text)?.[1];
  return isIP(address ?? text) !== 0;
};

const isProxyUrl = (server: string): boolean => {
  try {
    parseUpstream({ server, username: null, password: null, bypass: [] });
    return true;
  } catch {
    return false;
  }
};

const hasNoCredentials = (text: string): boolean => {
  const url = URL.parse(text);
  return url === null || (url.username === "" && url.password === "");
};

/**
 * Every setting of the server. The description becomes docs/configuration.md, so it gives unit,
 * meaning and what the default does.
 */
export const settingsSchema = z.object({
  NIGHTJAR_HOST: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("Address to listen on. The default reaches only this machine; 0.0.0.0 is all."),
  NIGHTJAR_PORT: whole(z.int().min(0).max(65_535))
    .prefault("7777")
    .describe("Port to listen on; 0 picks a free one."),
  NIGHTJAR_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "The URL that clients reach this server by, e.g. behind a proxy. `cdp_url` and the URLs of files are built from it. Default: the host that each request names.",
    ),
  NIGHTJAR_EMBED_ORIGINS: list
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d+)?$/i,
            "must be origins such as https://app.example.com or https://*.example.com",
          ),
      ),
    )
    .prefault("")
    .describe(
      "Origins whose pages may show the live view (`viewer_url`) in a frame, separated by commas. Default: none but this server's own pages.",
    ),
  NIGHTJAR_DATA_DIR: optionalPath
    .optional()
    .describe(
      "Directory for the database and the browsers' profiles. Default: /var/lib/nightjar for root, the platform's place for application data otherwise.",
    ),
  NIGHTJAR_API_KEY: z
    .string()
    .min(16, "must have at least 16 characters")
    .optional()
    .describe(
      "An API key of the default tenant; another value takes its place. Default: the first start makes one and shows it once.",
    ),
  NIGHTJAR_MAX_SESSIONS: whole(z.int().min(1))
    .optional()
    .describe(
      "Sessions that may run at once, where there is memory and disk for them; more wait in the queue. Default: one for each 400 MB of memory beyond the first 1 GB.",
    ),
  NIGHTJAR_MAX_SESSIONS_PER_TENANT: whole(z.int().min(1))
    .optional()
    .describe(
      "Sessions that one tenant may run at once; more wait in the queue. Default: no limit of its own.",
    ),
  NIGHTJAR_MAX_SESSIONS_PER_KEY: whole(z.int().min(1))
    .optional()
    .describe(
      "Sessions of one API key that may run at once; more wait in the queue. Default: no limit of its own.",
    ),
  NIGHTJAR_STARTS_PER_MINUTE_PER_TENANT: whole(z.int().min(1).max(100_000))
    .optional()
    .describe(
      "Sessions that one tenant may start within any 60 seconds on this server; one more is answered 429 at once. Default: no limit.",
    ),
  NIGHTJAR_STARTS_PER_MINUTE_PER_KEY: whole(z.int().min(1).max(100_000))
    .optional()
    .describe("The same for each API key. Default: no limit."),
  NIGHTJAR_MEMORY_RESERVE_MB: whole(z.int().min(0).max(10_000_000))
    .prefault("256")
    .describe(
      "Memory that stays free, in MB: a session starts only while this and 400 MB for the session itself are available, of the machine's memory and within the limit of every cgroup (container) that the server is in.",
    ),
  NIGHTJAR_DISK_RESERVE_MB: whole(z.int().min(0).max(10_000_000))
    .prefault("512")
    .describe(
      "Space on the data directory's disk that stays free, in MB: with less, no session starts; those that run go on. 0 does not look.",
    ),
  NIGHTJAR_QUEUE_LENGTH: whole(z.int().min(0).max(10_000))
    .prefault("100")
    .describe(
      "Starts that may wait for room. When there are more, the last one of the tenant with the most is answered 529 or 429.",
    ),
  NIGHTJAR_QUEUE_TIMEOUT: whole(z.int().min(0).max(3600))
    .prefault("30")
    .describe(
      "How long a start waits for room, in seconds, before it is answered 529 (the host is full) or 429 (the tenant or the key is at its limit). Official clients give up after 45; 0 refuses at once.",
    ),
  NIGHTJAR_MAX_SESSION_MINUTES: whole(z.int().min(1).max(1440))
    .prefault("1440")
    .describe("Longest that any session may last, in minutes, whatever its request asks for."),
  NIGHTJAR_WARM_POOL: whole(z.int().min(0).max(100))
    .prefault("4")
    .describe(
      "Browsers kept ready, each about 170 MB. Bursts raise it up to threefold for a minute; 0 launches every browser on demand.",
    ),
  NIGHTJAR_CHROMIUM: optionalPath
    .optional()
    .describe("Path of the full Chromium or Chrome. Default: found, or installed by `npm start`."),
  NIGHTJAR_HEADLESS_SHELL: optionalPath
    .optional()
    .describe("Path of chromium-headless-shell. Default: found, or installed by `npm start`."),
  NIGHTJAR_ALLOW_NO_SANDBOX: flag
    .default(false)
    .describe(
      "1 runs browsers without Chromium's sandbox where the system cannot give it; otherwise the start is refused there.",
    ),
  NIGHTJAR_FIRST_UID: whole(z.int().min(1).max(2_000_000_000))
    .prefault("50000")
    .describe(
      "As root each browser runs as a user of its own: the first of 1,000 user ids that belong to nobody else.",
    ),
  NIGHTJAR_SESSION_MEMORY_MB: whole(z.int().min(0).max(1_000_000))
    .prefault("2048")
    .describe(
      "Memory that the browser of one session may take, in MB; a session that takes more ends as `out_of_memory`. 0 sets no limit.",
    ),
  NIGHTJAR_MEMORY_CAP: z
    .enum(memoryCapWays)
    .default("auto")
    .describe(
      "What holds sessions to their memory: `cgroup` is the kernel, and the start is refused where the server may make no cgroups; `watchdog` looks every second, and more often near the limit; `auto` takes cgroups where it can.",
    ),
  NIGHTJAR_FIREWALL: z
    .enum(firewallModes)
    .default("auto")
    .describe(
      "Rules of the system's firewall (`nft`, as root) that close the browsers' DevTools ports to everyone but the server, and keep the browsers' users to their proxies: `auto` where it can, `required` refuses the start where it cannot, `off` leaves the firewall alone.",
    ),
  NIGHTJAR_EGRESS_ALLOW: list
    .pipe(z.array(z.string().refine(isAddressBlock, "must be addresses or CIDR blocks")))
    .prefault("")
    .describe(
      "Addresses or CIDR blocks, separated by commas, that sessions may connect to beside the public internet, and `cdp_url` and proxies may lead to; e.g. `127.0.0.0/8,::1` for what runs on this machine. More for single tenants: `nightjar tenants`. Default: none.",
    ),
  NIGHTJAR_EGRESS_ALLOW_HOSTS: hostPatterns.describe(
    "Hosts, separated by commas, that sessions may connect to, and no others: `example.com` is that host, `*.example.com` those beneath it, `.example.com` both; a port may follow (`:8443`). Default: every host.",
  ),
  NIGHTJAR_EGRESS_DENY_HOSTS: hostPatterns.describe(
    "Hosts, written the same way, that sessions may not connect to, whatever is allowed. Default: none.",
  ),
  NIGHTJAR_DNS_SERVERS: list
    .pipe(z.array(z.string().refine(isDnsServer, "must be addresses, a port behind them or not")))
    .prefault("")
    .describe(
      "DNS servers for the names that sessions connect to, separated by commas, e.g. `10.0.0.2,[fd00::2]:5353`. Default: the system's.",
    ),
  NIGHTJAR_PROXY: z
    .string()
    .refine(isProxyUrl, "must be the URL of a proxy: http://, https:// or socks5://host:port")
    .optional()
    .describe(
      "The proxy of sessions that ask for one with `proxies: true`: `http://`, `https://` or `socks5://user:password@host:port`. It may be at a private address. Default: none.",
    ),
  NIGHTJAR_PROXY_BYPASS: hostPatterns.describe(
    "Hosts, written as in NIGHTJAR_EGRESS_ALLOW_HOSTS, that are reached without NIGHTJAR_PROXY; `<local>` are names without a dot. Default: none.",
  ),
  NIGHTJAR_MAX_FILE_MB: whole(z.int().min(1).max(100_000))
    .prefault("100")
    .describe("Largest file that is stored or that a page may download, in MB."),
  NIGHTJAR_MAX_FILES_MB: whole(z.int().min(1).max(10_000_000))
    .prefault("1000")
    .describe(
      "Room for the uploads of each tenant together, and for the downloads of each session together, in MB.",
    ),
  NIGHTJAR_DOWNLOAD_RETENTION_HOURS: whole(z.int().min(0).max(1_000_000))
    .prefault("168")
    .describe(
      "The downloads of a session are removed so many hours after its end; 0 keeps them for good.",
    ),
  NIGHTJAR_MAX_PROFILE_MB: whole(z.int().min(1).max(64))
    .prefault("16")
    .describe(
      "Largest state that is saved for a profile (cookies and the storage of its sites), in MB; an origin may take half of it, a single database a quarter. Where it is not enough, the largest databases are left out.",
    ),
  NIGHTJAR_PROFILE_SAVE_SECONDS: whole(z.int().min(1).max(86_400))
    .prefault("30")
    .describe(
      "How often the profile of a session that persists it is saved while the session runs, in seconds, besides at its end: so much is lost when its browser crashes.",
    ),
  NIGHTJAR_RECORDING: flag
    .default(true)
    .describe(
      "Whether sessions are recorded (what their pages show, request and log) whose start does not say `recording`.",
    ),
  NIGHTJAR_RECORDING_MAX_MB: whole(z.int().min(1).max(1_000_000))
    .prefault("200")
    .describe(
      "Room for the pictures of one session, in MB. As it is used up fewer are taken: half as many whenever half of what was left is gone.",
    ),
  NIGHTJAR_RECORDINGS_MAX_MB: whole(z.int().min(1).max(100_000_000))
    .prefault("10000")
    .describe(
      "Room for the recordings and logs of all sessions together, in MB; beyond it those of the sessions that ended first are removed.",
    ),
  NIGHTJAR_RECORDING_RETENTION_HOURS: whole(z.int().min(0).max(1_000_000))
    .prefault("168")
    .describe(
      "The recording and logs of a session are removed so many hours after its end; 0 keeps them for good.",
    ),
  NIGHTJAR_SESSION_RETENTION_DAYS: whole(z.int().min(0).max(100_000))
    .prefault("0")
    .describe(
      "All that is kept of a session, its record, steps, recording and downloads, is removed so many days after its end; 0 keeps records and steps for good.",
    ),
  NIGHTJAR_FFMPEG: optionalPath
    .optional()
    .describe(
      "Path of the ffmpeg that makes replays. Default: the one in PATH, or installed by `npm start`.",
    ),
  NIGHTJAR_MODEL: z
    .string()
    .regex(
      /^(?:openai|anthropic|google|compatible)\/.+$/,
      "must be a vendor and a model's name, e.g. openai/gpt-5-mini, anthropic/..., google/... or compatible/...",
    )
    .optional()
    .describe(
      "The model that extracts data from pages, as `vendor/name`: openai, anthropic, google, or `compatible` for any OpenAI-compatible endpoint. Default: none; such requests are answered 501.",
    ),
  NIGHTJAR_MODEL_URL: z
    .url({ protocol: /^https?$/ })
    .refine(hasNoCredentials, "must hold no user or password; NIGHTJAR_MODEL_KEY is for the secret")
    .optional()
    .describe(
      "Base URL of the model's endpoint; needed for `compatible`. Default: the vendor's own.",
    ),
  NIGHTJAR_MODEL_KEY: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The key for the model's endpoint; needed for the vendors' own. It is never logged nor answered.",
    ),
  NIGHTJAR_MODEL_TIMEOUT_SECONDS: whole(z.int().min(1).max(600))
    .prefault("60")
    .describe(
      "How long the model may take for one answer, with waiting for a free request and retries, in seconds.",
    ),
  NIGHTJAR_MODEL_MAX_REQUESTS: whole(z.int().min(1).max(1000))
    .prefault("8")
    .describe("Requests at the model's endpoint at once; others wait."),
  NIGHTJAR_MODEL_MAX_CHARACTERS: whole(z.int().min(1000).max(10_000_000))
    .prefault("400000")
    .describe(
      "How much of a page's markdown is sent to the model, in characters (about 4 a token); what follows is left out, and the model is told.",
    ),
  NIGHTJAR_CORS_ORIGINS: list
    .pipe(
      z.array(
        z
          .string()
          .refine(
            (text) => text === "*" || URL.parse(text)?.origin === text,
            "must be origins, e.g. https://app.example.com, or *",
          ),
      ),
    )
    .prefault("")
    .describe(
      "Web origins whose pages may call the API, separated by commas, e.g. https://app.example.com; * for all. Default: none.",
    ),
  NIGHTJAR_TRUSTED_PROXIES: list
    .pipe(z.array(z.string().refine(isAddressBlock, "must be addresses or CIDR blocks")))
    .prefault("")
    .describe(
      "Addresses or CIDR blocks of the proxies in front of this server, separated by commas: their X-Forwarded-* headers say who a client is and how it reached them. Default: none are believed.",
    ),
  NIGHTJAR_MAX_FAILED_AUTHENTICATIONS: whole(z.int().min(1).max(1_000_000))
    .prefault("60")
    .describe(
      "Requests without a valid API key that one address may make in a minute; more are answered 429. Valid keys are not counted.",
    ),
  NIGHTJAR_REQUESTS_PER_MINUTE_PER_KEY: whole(z.int().min(1).max(10_000_000))
    .optional()
    .describe(
      "Requests that one API key may make in a minute to this server; more are answered 429, and every answer says what is left. Default: no limit.",
    ),
  NIGHTJAR_PING_SECONDS: whole(z.int().min(1).max(3600))
    .prefault("30")
    .describe(
      "How often a WebSocket's client is asked whether it is still there, in seconds. A viewer that does not answer until the next time is dropped; a CDP client after four times, since programs may be busy. TCP finds a machine that is gone within a minute, whatever this is.",
    ),
  NIGHTJAR_METRICS_TOKEN: z
    .string()
    .min(16, "must have at least 16 characters")
    .optional()
    .describe(
      "Opens `/metrics` to Prometheus, which sends it as a bearer token. Default: `/metrics` is not served.",
    ),
  NIGHTJAR_ON_STOP: z
    .enum(["close", "keep"])
    .default("close")
    .describe(
      "What a stop does to sessions that still run: `close` ends them, `keep` leaves them for the next start on the same data directory.",
    ),
  NIGHTJAR_DRAIN_TIMEOUT: whole(z.int().min(0).max(86_400))
    .prefault("0")
    .describe(
      "How long SIGTERM lets running sessions go on before it does that, in seconds; none starts meanwhile. A second SIGTERM, and SIGINT (Ctrl-C), do not wait. The default waits for none: whoever stops the server sets how long it has, e.g. 10 seconds in Docker and 30 in Kubernetes, and kills it then.",
    ),
  NIGHTJAR_LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Least severe level that is logged (to stderr)."),
});

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | null;
  readonly embedOrigins: readonly string[];
  readonly dataDir: string;
  readonly apiKey: string | null;
  readonly maxSessions: number;
  readonly maxSessionsPerTenant: number | null;
  readonly maxSessionsPerKey: number | null;
  readonly startsPerMinutePerTenant: number | null;
  readonly startsPerMinutePerKey: number | null;
  readonly memoryReserveBytes: number;
  readonly diskReserveBytes: number;
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly maxSessionMinutes: number;
  readonly warmPool: number;
  readonly chromiumPath: string | null;
  readonly headlessShellPath: string | null;
  readonly allowNoSandbox: boolean;
  readonly firstUid: number;
  /** 0: no limit. */
  readonly sessionMemoryBytes: number;
  readonly memoryCap: z.output<typeof settingsSchema>["NIGHTJAR_MEMORY_CAP"];
  readonly firewall: z.output<typeof settingsSchema>["NIGHTJAR_FIREWALL"];
  readonly maxFileBytes: number;
  readonly maxFilesBytes: number;
  readonly maxProfileBytes: number;
  readonly profileSaveEveryMs: number;
  /** 0: for good. */
  readonly downloadRetentionHours: number;
  readonly recordByDefault: boolean;
  readonly maxRecordingBytes: number;
  readonly maxRecordingsBytes: number;
  /** 0: for good. */
  readonly recordingRetentionHours: number;
  /** 0: for good. */
  readonly sessionRetentionDays: number;
  readonly ffmpegPath: string | null;
  readonly egressAllow: readonly string[];
  readonly egressAllowHosts: readonly string[];
  readonly egressDenyHosts: readonly string[];
  readonly dnsServers: readonly string[];
  readonly proxy: string | null;
  readonly proxyBypass: readonly string[];
  readonly model: string | null;
  readonly modelUrl: string | null;
  readonly modelKey: string | null;
  readonly modelTimeoutMs: number;
  readonly modelMaxRequests: number;
  readonly modelMaxCharacters: number;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly maxFailedAuthentications: number;
  readonly requestsPerMinutePerKey: number | null;
  readonly pingEveryMs: number;
  readonly metricsToken: string | null;
  readonly onStop: "close" | "keep";
  readonly drainTimeoutMs: number;
  readonly logLevel: z.output<typeof settingsSchema>["NIGHTJAR_LOG_LEVEL"];
}

/** A setting that is unknown or invalid; the message names it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads the settings from an environment. Throws `ConfigError` for the first one that is wrong. */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("NIGHTJAR_") || value === undefined) continue;
    if (!(name in settingsSchema.shape)) {
      throw new ConfigError(
        `Unknown setting ${name}. The settings are: ${Object.keys(settingsSchema.shape).join(", ")}.`,
      );
    }
    given[name] = value;
  }
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    // A key that is too short is still a secret, and a URL may hold a password.
    const shown = /_KEY$|_TOKEN$|_MODEL_URL$|_PROXY$/.test(name) ? "" : ` (got "${given[name]}")`;
    throw new ConfigError(`Invalid setting ${name}: ${issue?.message}${shown}.`);
  }
  const settings = parsed.data;
  checkModelSettings(settings);
  return {
    host: settings.NIGHTJAR_HOST,
    port: settings.NIGHTJAR_PORT,
    publicUrl: settings.NIGHTJAR_PUBLIC_URL?.replace(/\/+$/, "") ?? null,
    embedOrigins: settings.NIGHTJAR_EMBED_ORIGINS,
    dataDir: settings.NIGHTJAR_DATA_DIR ?? defaultDataDir(environment),
    apiKey: settings.NIGHTJAR_API_KEY ?? null,
    maxSessions: settings.NIGHTJAR_MAX_SESSIONS ?? sessionsForMemory(),
    maxSessionsPerTenant: settings.NIGHTJAR_MAX_SESSIONS_PER_TENANT ?? null,
    maxSessionsPerKey: settings.NIGHTJAR_MAX_SESSIONS_PER_KEY ?? null,
    startsPerMinutePerTenant: settings.NIGHTJAR_STARTS_PER_MINUTE_PER_TENANT ?? null,
    startsPerMinutePerKey: settings.NIGHTJAR_STARTS_PER_MINUTE_PER_KEY ?? null,
    memoryReserveBytes: settings.NIGHTJAR_MEMORY_RESERVE_MB * bytesPerMb,
    diskReserveBytes: settings.NIGHTJAR_DISK_RESERVE_MB * bytesPerMb,
    queueLength: settings.NIGHTJAR_QUEUE_LENGTH,
    queueTimeoutMs: settings.NIGHTJAR_QUEUE_TIMEOUT * 1000,
    maxSessionMinutes: settings.NIGHTJAR_MAX_SESSION_MINUTES,
    warmPool: settings.NIGHTJAR_WARM_POOL,
    chromiumPath: settings.NIGHTJAR_CHROMIUM ?? null,
    headlessShellPath: settings.NIGHTJAR_HEADLESS_SHELL ?? null,
    allowNoSandbox: settings.NIGHTJAR_ALLOW_NO_SANDBOX,
    firstUid: settings.NIGHTJAR_FIRST_UID,
    sessionMemoryBytes: settings.NIGHTJAR_SESSION_MEMORY_MB * bytesPerMb,
    memoryCap: settings.NIGHTJAR_MEMORY_CAP,
    firewall: settings.NIGHTJAR_FIREWALL,
    egressAllow: settings.NIGHTJAR_EGRESS_ALLOW,
    egressAllowHosts: settings.NIGHTJAR_EGRESS_ALLOW_HOSTS,
    egressDenyHosts: settings.NIGHTJAR_EGRESS_DENY_HOSTS,
    dnsServers: settings.NIGHTJAR_DNS_SERVERS,
    proxy: settings.NIGHTJAR_PROXY ?? null,
    proxyBypass: settings.NIGHTJAR_PROXY_BYPASS,
    maxFileBytes: settings.NIGHTJAR_MAX_FILE_MB * bytesPerMb,
    maxFilesBytes: settings.NIGHTJAR_MAX_FILES_MB * bytesPerMb,
    maxProfileBytes: settings.NIGHTJAR_MAX_PROFILE_MB * bytesPerMb,
    profileSaveEveryMs: settings.NIGHTJAR_PROFILE_SAVE_SECONDS * 1000,
    downloadRetentionHours: settings.NIGHTJAR_DOWNLOAD_RETENTION_HOURS,
    recordByDefault: settings.NIGHTJAR_RECORDING,
    maxRecordingBytes: settings.NIGHTJAR_RECORDING_MAX_MB * bytesPerMb,
    maxRecordingsBytes: settings.NIGHTJAR_RECORDINGS_MAX_MB * bytesPerMb,
    recordingRetentionHours: settings.NIGHTJAR_RECORDING_RETENTION_HOURS,
    sessionRetentionDays: settings.NIGHTJAR_SESSION_RETENTION_DAYS,
    ffmpegPath: settings.NIGHTJAR_FFMPEG ?? null,
    model: settings.NIGHTJAR_MODEL ?? null,
    modelUrl: settings.NIGHTJAR_MODEL_URL?.replace(/\/+$/, "") ?? null,
    modelKey: settings.NIGHTJAR_MODEL_KEY ?? null,
    modelTimeoutMs: settings.NIGHTJAR_MODEL_TIMEOUT_SECONDS * 1000,
    modelMaxRequests: settings.NIGHTJAR_MODEL_MAX_REQUESTS,
    modelMaxCharacters: settings.NIGHTJAR_MODEL_MAX_CHARACTERS,
    corsOrigins: settings.NIGHTJAR_CORS_ORIGINS,
    trustedProxies: settings.NIGHTJAR_TRUSTED_PROXIES,
    maxFailedAuthentications: settings.NIGHTJAR_MAX_FAILED_AUTHENTICATIONS,
    requestsPerMinutePerKey: settings.NIGHTJAR_REQUESTS_PER_MINUTE_PER_KEY ?? null,
    pingEveryMs: settings.NIGHTJAR_PING_SECONDS * 1000,
    metricsToken: settings.NIGHTJAR_METRICS_TOKEN ?? null,
    onStop: settings.NIGHTJAR_ON_STOP,
    drainTimeoutMs: settings.NIGHTJAR_DRAIN_TIMEOUT * 1000,
    logLevel: settings.NIGHTJAR_LOG_LEVEL,
  };
}

/** What no single setting of the model says. The values stay out of the messages: they may be secret. */
function checkModelSettings(settings: z.output<typeof settingsSchema>): void {
  const { NIGHTJAR_MODEL: model, NIGHTJAR_MODEL_URL: url, NIGHTJAR_MODEL_KEY: key } = settings;
  if (model?.startsWith("compatible/") && url === undefined) {
    throw new ConfigError(
      "Invalid setting NIGHTJAR_MODEL: a compatible model needs NIGHTJAR_MODEL_URL.",
    );
  }
  if (model !== undefined && url === undefined && key === undefined) {
    throw new ConfigError("Invalid setting NIGHTJAR_MODEL: the vendor needs NIGHTJAR_MODEL_KEY.");
  }
}

function defaultDataDir(environment: Readonly<Record<string, string | undefined>>): string {
  // A home directory of root is closed to other users, and browsers run as others.
  if (process.getuid?.() === 0) return "/var/lib/nightjar";
  const home = environment["HOME"] ?? process.cwd();
  if (process.platform === "darwin") {
    return path.join(home, "Library", "Application Support", "nightjar");
  }
  return path.join(environment["XDG_DATA_HOME"] ?? path.join(home, ".local", "share"), "nightjar");
}

const bytesForTheSystem = 1024 ** 3;

function sessionsForMemory(): number {
  const { totalBytes } = availableMemory();
  return Math.max(1, Math.floor((totalBytes - bytesForTheSystem) / bytesPerSession));
}
