import type { LocalBrowserHost } from "./browsers/browser-host.ts";
import type { ChromiumExecutable } from "./browsers/chromium.ts";
import type { HostStatus } from "./edge/host-routes.ts";
import type { HostGauge } from "./sessions/ports.ts";
import type { SessionService } from "./sessions/session-service.ts";

export interface HostStatusParts {
  readonly version: string;
  readonly browser: ChromiumExecutable | null;
  readonly sandbox: boolean;
  readonly sessions: Pick<SessionService, "activeCount" | "draining" | "waitingCount">;
  readonly gauge: HostGauge;
  readonly maxSessions: number;
  readonly queueLength: number;
  readonly host: Pick<LocalBrowserHost, "warmCount" | "memoryBytes">;
  readonly warmPoolSize: number;
}

/** Gathers what `/host` answers: part of the composition, since it looks at everything. */
export function hostStatus(parts: HostStatusParts): () => Promise<HostStatus> {
  const { version, browser, sessions, host, gauge } = parts;
  return async () => {
    const [browsersBytes, reading] = await Promise.all([host.memoryBytes(), gauge.read()]);
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
      queue: { waiting: sessions.waitingCount, max: parts.queueLength },
      memory: {
        totalBytes: reading.memory.totalBytes,
        freeBytes: reading.memory.availableBytes,
        serverBytes: process.memoryUsage.rss(),
        browsersBytes,
      },
      cpu: reading.cpu,
      disk: reading.disk,
    };
  };
}
