import { useState } from "react";
import { useHost } from "../api/queries.ts";
import type { Host } from "../api/types.ts";
import { useTitle } from "../shell/use-title.ts";
import { formatBytes, formatDuration } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { Meter } from "./meter.tsx";
import { Sparkline } from "./sparkline.tsx";
import "./host.css";

/** How many answers the curves remember: two minutes of them. */
const remembered = 60;

export function HostScreen() {
  useTitle("Host");
  const host = useHost();
  const history = useHistory(host.data, host.dataUpdatedAt);
  return (
    <div className="screen">
      <header className="screen__head">
        <div>
          <h1 tabIndex={-1}>Host</h1>
          {host.data !== undefined && (
            <p className="hint">Up for {formatDuration(host.data.uptime_seconds * 1000)}.</p>
          )}
        </div>
      </header>
      {host.isPending && <LoadingState what="the host's state" rows={6} />}
      {host.isError && host.data === undefined && (
        <ErrorState
          title="The host's state could not be loaded"
          error={host.error}
          onRetry={() => void host.refetch()}
        />
      )}
      {host.isError && host.data !== undefined && (
        <p className="notice notice--warn" role="status">
          This may be out of date: {host.error.message}
        </p>
      )}
      {host.data !== undefined && <HostState host={host.data} history={history} />}
    </div>
  );
}

interface HostStateProps {
  readonly host: Host;
  readonly history: readonly Host[];
}

function HostState({ host, history }: HostStateProps) {
  const { sessions, queue, memory, cpu, disk } = host;
  const used = memory.total_bytes - memory.free_bytes;
  const browsers = memory.browsers_bytes ?? 0;
  const others = Math.max(0, used - browsers - memory.server_rss_bytes);
  return (
    <>
      {host.draining && (
        <p className="notice notice--warn">
          <Icon name="info" /> The server is stopping: it takes no new sessions.
        </p>
      )}
      {!host.sandbox && (
        <p className="notice notice--bad">
          <Icon name="error" /> Browsers run without Chromium's sandbox: a page that breaks out of
          its renderer has all rights of the browser's user.
        </p>
      )}
      <div className="host-grid">
        <section className="tile" aria-labelledby="host-sessions">
          <h2 id="host-sessions">Sessions</h2>
          <p className="tile__number">
            {sessions.running} <span>of {sessions.max}</span>
          </p>
          <Meter
            label="Sessions in use"
            total={sessions.max}
            text={`${sessions.running} of ${sessions.max}`}
            parts={[{ name: "running", value: sessions.running, tone: "accent" }]}
          />
          <Sparkline values={history.map((past) => past.sessions.running)} max={null} />
        </section>
        <section className="tile" aria-labelledby="host-warm">
          <h2 id="host-warm">Warm browsers</h2>
          <p className="tile__number">
            {host.warm_browsers} <span>ready; {host.warm_browsers_target} kept in quiet times</span>
          </p>
          <Sparkline values={history.map((past) => past.warm_browsers)} max={null} />
        </section>
        <section className="tile" aria-labelledby="host-queue">
          <h2 id="host-queue">Queue</h2>
          <p className="tile__number">
            {queue.waiting} <span>{queue.waiting === 1 ? "start waits" : "starts wait"}</span>
          </p>
          <p className="tile__text">
            {queue.max === 0
              ? "There is no queue: a start that finds no room is refused at once."
              : `Room for ${queue.max}; beyond that a start is refused.`}
          </p>
        </section>
        <section className="tile" aria-labelledby="host-cpu">
          <h2 id="host-cpu">Processor</h2>
          <p className="tile__number">
            {Math.round(cpu.load_percent)} <span>% of {cores(cpu.cores)}</span>
          </p>
          <Meter
            label="Processor"
            total={100}
            text={`${Math.round(cpu.load_percent)} %`}
            parts={[{ name: "busy", value: cpu.load_percent, tone: "accent" }]}
          />
          <Sparkline values={history.map((past) => past.cpu.load_percent)} max={100} />
        </section>
        <section className="tile tile--wide" aria-labelledby="host-memory">
          <h2 id="host-memory">Memory</h2>
          <p className="tile__number">
            {formatBytes(memory.free_bytes)} <span>free of {formatBytes(memory.total_bytes)}</span>
          </p>
          <Meter
            label="Memory in use"
            total={memory.total_bytes}
            text={`${formatBytes(used)} of ${formatBytes(memory.total_bytes)}`}
            isListed
            format={formatBytes}
            parts={[
              { name: "browsers", value: browsers, tone: "accent" },
              { name: "this server", value: memory.server_rss_bytes, tone: "teal" },
              { name: "everything else", value: others, tone: "faint" },
            ]}
          />
        </section>
        {disk !== null && (
          <section className="tile" aria-labelledby="host-disk">
            <h2 id="host-disk">Disk</h2>
            <p className="tile__number">
              {formatBytes(disk.free_bytes)} <span>free of {formatBytes(disk.total_bytes)}</span>
            </p>
            <Meter
              label="Disk in use"
              total={disk.total_bytes}
              text={`${formatBytes(disk.total_bytes - disk.free_bytes)} of ${formatBytes(disk.total_bytes)}`}
              parts={[{ name: "used", value: disk.total_bytes - disk.free_bytes, tone: "teal" }]}
            />
          </section>
        )}
        <section className="tile" aria-labelledby="host-versions">
          <h2 id="host-versions">Versions</h2>
          <dl className="facts">
            <div className="facts__row">
              <dt>Nightjar</dt>
              <dd>{host.versions.nightjar}</dd>
            </div>
            <div className="facts__row">
              <dt>Browser</dt>
              <dd>{host.versions.browser}</dd>
            </div>
            <div className="facts__row">
              <dt>Node</dt>
              <dd>{host.versions.node}</dd>
            </div>
            <div className="facts__row">
              <dt>Sandbox</dt>
              <dd>{host.sandbox ? "on" : "off"}</dd>
            </div>
          </dl>
        </section>
      </div>
    </>
  );
}

function cores(number: number): string {
  return number === 1 ? "1 core" : `${number} cores`;
}

/** The last answers, oldest first. */
function useHistory(host: Host | undefined, updatedAt: number): readonly Host[] {
  const [history, setHistory] = useState<{ readonly at: number; readonly hosts: readonly Host[] }>({
    at: 0,
    hosts: [],
  });
  if (host !== undefined && updatedAt !== history.at) {
    setHistory({ at: updatedAt, hosts: [...history.hosts, host].slice(-remembered) });
  }
  return history.hosts;
}
