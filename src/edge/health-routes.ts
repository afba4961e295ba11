import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";

/** What the health answer tells about the host. */
export interface HostHealth {
  /** It is stopping: it takes no new sessions, and those that run go on. */
  readonly draining: boolean;
  readonly version: string;
  readonly activeSessions: number;
  readonly maxSessions: number;
  readonly warmBrowsers: number;
  /** Product and version of the browser that sessions get, e.g. `chromium-headless-shell 156.0.1`. */
  readonly browser: string;
  readonly sandbox: boolean;
  readonly devtoolsClosed: boolean;
  /** What holds sessions to their memory. */
  readonly memoryCap: string;
  /** How many leaks the server had to repair since its start. */
  readonly leaksRepaired: number;
}

const healthAnswer = z
  .object({
    status: z
      .enum(["ok", "draining"])
      .describe(
        "`draining`: it is stopping, takes no new sessions and lets those that run go on. `/ready` is 503 then.",
      ),
    version: z
      .string()
      .describe("Of Nightjar.")
      .meta({ examples: ["0.1.0"] }),
    description: z.string().meta({ examples: ["Nightjar: browser sessions for AI agents"] }),
    active_sessions: z.int().min(0).describe("Sessions that run now."),
    max_sessions: z.int().min(1).describe("Sessions that may run at once."),
    warm_browsers: z.int().min(0).describe("Browsers that are ready to be handed over."),
    browser: z.string().describe("What sessions run on by default."),
    sandbox: z.boolean().describe("Whether browsers run in Chromium's sandbox."),
    devtools_closed: z
      .boolean()
      .describe(
        "Whether a firewall closes the DevTools ports of browsers to every process but the server's.",
      ),
    memory_cap: z
      .string()
      .describe("What holds sessions to their memory: the kernel, a watchdog, or `none`.")
      .meta({ examples: ["cgroup v2"] }),
    leaks_repaired: z
      .int()
      .min(0)
      .describe(
        "How many things were left over since the start of the server and had to be repaired: none, unless something is wrong. The log and the metrics say which.",
      ),
  })
  .meta({ id: "Health" });

export function healthRoutes(instance: FastifyInstance, health: () => HostHealth): void {
  instance.withTypeProvider<ZodTypeProvider>().get(
    "/health",
    {
      config: { public: true },
      schema: {
        summary: "Health of the server",
        description:
          "200 as long as the server lives, also while it stops: official clients and restarts by orchestrators go by that. Needs no key.",
        tags: ["Server"],
        security: [],
        response: { 200: healthAnswer },
      },
    },
    async () => {
      const host = health();
      return {
        status: host.draining ? ("draining" as const) : ("ok" as const),
        version: host.version,
        description: "Nightjar: browser sessions for AI agents",
        active_sessions: host.activeSessions,
        max_sessions: host.maxSessions,
        warm_browsers: host.warmBrowsers,
        browser: host.browser,
        sandbox: host.sandbox,
        devtools_closed: host.devtoolsClosed,
        memory_cap: host.memoryCap,
        leaks_repaired: host.leaksRepaired,
      };
    },
  );
}
