import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { LocalBrowserHost } from "./browsers/browser-host.ts";
import type { ChromiumExecutable } from "./browsers/chromium.ts";
import { CpuLoad } from "./browsers/cpu-load.ts";
import type { HostStatus } from "./edge/host-routes.ts";
import type { SessionService } from "./sessions/session-service.ts";

export interface HostStatusParts {
  readonly version: string;
  readonly browser: ChromiumExecutable | null;
  readonly sandbox: boolean;
  readonly sessions: Pick<SessionService, "activeCount" | "draining">;
  readonly maxSessions: number;
  readonly host: Pick<LocalBrowserHost, "warmCount" | "memoryBytes">;
  readonly warmPoolSize: number;
  readonly dataDirectory: string;
}

/** Gathers what `/host` answers: part of the composition, since it looks at everything. */
export function hostStatus(parts: HostStatusParts): () => Promise<HostStatus> {
  const { version, browser, sessions, host } = parts;
  const load = new CpuLoad();
  return async () => {
    const [browsersBytes, disk] = await Promise.all([
      host.memoryBytes(),
      diskOf(parts.dataDirectory),
    ]);
    return {
      versions: {
        nightjar: version,
        node: process.versions.node,
        browser: browser === null ? "" : `${browser.kind} ${browser.version}`,
      },
      uptimeSeconds: process.uptime(),
      sandbox: parts.sandbox,
      draining: sessions.draining,
      sessions: { running: sessions.activeCount, max: parts.maxSessions },
      warmBrowsers: { ready: host.warmCount, target: parts.warmPoolSize },
      // A start that finds no room is refused, not queued.
      queue: { waiting: 0, max: 0 },
      memory: {
        totalBytes: totalMemory(),
        // What a container has left where it has a limit, else what the system could give away.
        freeBytes: process.availableMemory(),
        serverBytes: process.memoryUsage.rss(),
        browsersBytes,
      },
      cpu: { cores: availableParallelism(), loadPercent: load.percent() },
      disk,
    };
  };
}

function totalMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

async function diskOf(directory: string): Promise<HostStatus["disk"]> {
  try {
    const { bsize, blocks, bavail } = await statfs(directory);
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return null;
  }
}
