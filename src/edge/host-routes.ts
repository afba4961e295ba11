import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { errorAnswers } from "./error-schemas.ts";

/** What a host tells of itself to those who hold a key of it. Sizes in bytes. */
export interface HostStatus {
  readonly versions: {
    readonly nightjar: string;
    readonly node: string;
    /** Of the browser that sessions get by default. */
    readonly browser: string;
  };
  readonly uptimeSeconds: number;
  readonly sandbox: boolean;
  readonly draining: boolean;
  readonly sessions: { readonly running: number; readonly max: number };
  readonly warmBrowsers: { readonly ready: number; readonly target: number };
  readonly queue: { readonly waiting: number; readonly max: number };
  readonly memory: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly serverBytes: number;
    readonly browsersBytes: number | null;
  };
  readonly cpu: { readonly cores: number; readonly loadPercent: number };
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number } | null;
}

const count = z.int().min(0);
const bytes = z.int().min(0);

const hostAnswer = z
  .object({
    versions: z
      .object({
        nightjar: z.string().meta({ examples: ["0.1.0"] }),
        node: z.string().meta({ examples: ["24.21.0"] }),
        browser: z.string().meta({ examples: ["chromium-headless-shell 156.0.8078.73"] }),
      })
      .describe("Of what runs here; the browser is the one that sessions get by default."),
    uptime_seconds: count.describe("Since the server process was started."),
    sandbox: z.boolean().describe("Whether browsers run in Chromium's sandbox."),
    draining: z.boolean().describe("Whether it is stopping and takes no new sessions."),
    sessions: z
      .object({
        running: count.describe("Now, of all tenants."),
        max: count.describe("How many may run at once."),
      })
      .describe("Sessions of this host."),
    warm_browsers: count.describe("Browsers that are ready to be handed over."),
    warm_browsers_target: count.describe("How many it keeps ready when nobody is in a hurry."),
    queue: z
      .object({
        waiting: count.describe("Starts that wait for room."),
        max: count.describe("How many may wait; 0 where there is no queue."),
      })
      .describe("Starts that found no room."),
    memory: z
      .object({
        total_bytes: bytes.describe("Of this machine, or of its container."),
        free_bytes: bytes.describe("What could still be used."),
        server_rss_bytes: bytes.describe("Of the server process, without browsers."),
        browsers_bytes: bytes
          .nullable()
          .describe("Of all browsers, warm ones included (PSS); null where it cannot be told."),
      })
      .describe("Main memory."),
    cpu: z
      .object({
        cores: z.int().min(1).describe("That this process may use."),
        load_percent: z
          .number()
          .min(0)
          .max(100)
          .describe("How busy the machine is, all cores together, over the last seconds."),
      })
      .describe("Processor."),
    disk: z
      .object({
        total_bytes: bytes.describe("Of the file system that holds the data directory."),
        free_bytes: bytes.describe("What the server could still write to it."),
      })
      .nullable()
      .describe("Disk; null where it cannot be told."),
  })
  .meta({ id: "Host" });

/** How the host is doing. An addition of Nightjar. */
export function hostRoutes(instance: FastifyInstance, status: () => Promise<HostStatus>): void {
  instance.withTypeProvider<ZodTypeProvider>().get(
    "/host",
    {
      schema: {
        summary: "How the host is doing",
        description: "For all tenants together. `/health` says less and needs no key.",
        tags: ["Server"],
        response: { 200: hostAnswer, ...errorAnswers(401) },
      },
    },
    async () => toAnswer(await status()),
  );
}

function toAnswer(host: HostStatus): z.input<typeof hostAnswer> {
  return {
    versions: { ...host.versions },
    uptime_seconds: Math.floor(host.uptimeSeconds),
    sandbox: host.sandbox,
    draining: host.draining,
    sessions: { ...host.sessions },
    warm_browsers: host.warmBrowsers.ready,
    warm_browsers_target: host.warmBrowsers.target,
    queue: { ...host.queue },
    memory: {
      total_bytes: host.memory.totalBytes,
      free_bytes: host.memory.freeBytes,
      server_rss_bytes: host.memory.serverBytes,
      browsers_bytes: host.memory.browsersBytes,
    },
    cpu: {
      cores: host.cpu.cores,
      load_percent: Math.round(host.cpu.loadPercent * 10) / 10,
    },
    disk:
      host.disk === null
        ? null
        : { total_bytes: host.disk.totalBytes, free_bytes: host.disk.freeBytes },
  };
}
