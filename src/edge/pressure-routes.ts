import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { SessionService } from "../sessions/session-service.ts";
import { shuttingDown } from "../sessions/start-limits.ts";
import { errorAnswers } from "./error-schemas.ts";

export interface PressureRoutesOptions {
  readonly sessions: Pick<SessionService, "pressure" | "draining">;
  readonly maxSessions: number;
  readonly queueLength: number;
}

const count = z.int().min(0);
const bytes = z.int().min(0);

const pressureAnswer = z
  .object({
    accepting: z
      .boolean()
      .describe("Whether a load balancer should send more: the next start would not have to wait."),
    blocked_by: z
      .enum(["draining", "sessions", "memory", "disk", "queue"])
      .nullable()
      .describe(
        "What a start would wait for, or be refused for: this server is stopping, it runs as many sessions as it may, memory or disk is short, or others wait for limits of their own. Null where it accepts.",
      ),
    running: count.describe("Sessions that run now."),
    max_running: z.int().min(1).describe("Sessions that may run at once."),
    free: count.describe("How many more sessions could start now, by maximum, memory and disk."),
    queued: count.describe("Starts that wait for room."),
    max_queued: count.describe("How many starts may wait."),
    memory: z
      .object({
        total_bytes: bytes.describe("Of this machine, or of its container."),
        available_bytes: bytes.describe("What could still be used, idle warm browsers included."),
      })
      .describe("Main memory."),
    cpu: z
      .object({
        cores: z.int().min(1).describe("That the server may use."),
        load_percent: z
          .number()
          .min(0)
          .max(100)
          .describe("How busy the machine is, all cores together, over the last seconds."),
      })
      .describe("Processor. It bounds no starts: a busy machine is slow, not full."),
    disk: z
      .object({
        total_bytes: bytes.describe("Of the file system that holds the data directory."),
        free_bytes: bytes.describe("What the server could still write to it."),
      })
      .nullable()
      .describe("Disk; null where it cannot be told."),
  })
  .meta({ id: "Pressure" });

const readyAnswer = z
  .object({ status: z.literal("ready").describe("It takes new sessions.") })
  .meta({ id: "Ready" });

/** For load balancers and orchestrators, which hold no key. Additions of Nightjar. */
export function pressureRoutes(instance: FastifyInstance, options: PressureRoutesOptions): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/pressure",
    {
      config: { public: true },
      schema: {
        summary: "How much more the host can take",
        description: "For load balancers. Needs no key, and tells nothing of single tenants.",
        tags: ["Server"],
        security: [],
        response: { 200: pressureAnswer, ...errorAnswers() },
      },
    },
    async () => {
      const { running, waiting, free, blockedBy, reading } = await options.sessions.pressure();
      const { memory, cpu, disk } = reading;
      return {
        accepting: blockedBy === null,
        blocked_by: blockedBy,
        running,
        max_running: options.maxSessions,
        free,
        queued: waiting,
        max_queued: options.queueLength,
        memory: {
          total_bytes: memory.totalBytes,
          available_bytes: Math.min(memory.totalBytes, memory.availableBytes + memory.idleBytes),
        },
        cpu: { cores: cpu.cores, load_percent: Math.round(cpu.loadPercent * 10) / 10 },
        disk: disk === null ? null : { total_bytes: disk.totalBytes, free_bytes: disk.freeBytes },
      };
    },
  );

  server.get(
    "/ready",
    {
      config: { public: true },
      schema: {
        summary: "Whether the server takes new sessions",
        description:
          "503 while it is stopping and lets its sessions go on: then send new ones elsewhere. `/health` stays 200, since it lives.",
        tags: ["Server"],
        security: [],
        response: { 200: readyAnswer, ...errorAnswers(503) },
      },
    },
    async () => {
      if (options.sessions.draining) throw shuttingDown();
      return { status: "ready" as const };
    },
  );
}
