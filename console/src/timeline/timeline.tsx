import { useMemo, useState } from "react";
import type { Session } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { count } from "../ui/format.ts";
import { EmptyState, LoadingState } from "../ui/states.tsx";
import { type EntryFilter, filterEntries } from "./entries.ts";
import { EntryDetails } from "./entry-details.tsx";
import { EntryList } from "./entry-list.tsx";
import type { Playback } from "./playback.ts";
import { RunningLine } from "./running-line.tsx";
import { everything, TimelineFilter } from "./timeline-filter.tsx";
import type { EntryLog } from "./use-entries.ts";
import "./timeline.css";

interface TimelineProps {
  readonly session: Session;
  readonly playback: Playback;
  readonly log: EntryLog;
}

/** Steps, network, console and errors of a session in the order in which they happened. */
export function Timeline({ session, playback, log }: TimelineProps) {
  const [filter, setFilter] = useState<EntryFilter>(everything);
  const [selectedKey, setSelectedKey] = useState<string | null>(null);
  const shown = useMemo(() => filterEntries(log.entries, filter), [log.entries, filter]);
  const selected =
    selectedKey === null ? undefined : log.entries.find(({ key }) => key === selectedKey);
  const running = log.entries.find(({ isRunning }) => isRunning);
  const startAt = Date.parse(session.created_at);
  const isActive = session.status === "active";

  return (
    <div className="timeline">
      <TimelineFilter entries={log.entries} filter={filter} onChange={setFilter} />
      {log.error !== null && (
        <p className="notice notice--warn" role="status">
          Part of the time line could not be loaded: {log.error.message}{" "}
          <Button kind="quiet" onClick={log.retry}>
            Try again
          </Button>
        </p>
      )}
      {log.missing.length > 0 && (
        <p className="timeline__missing">
          No {log.missing.join(" and ")} log was kept of this session.
        </p>
      )}
      {running !== undefined && (
        <RunningLine
          entry={running}
          startAt={startAt}
          onSelect={() => setSelectedKey(running.key)}
        />
      )}
      {shown.length > 0 ? (
        <EntryList
          entries={shown}
          playback={playback}
          startAt={startAt}
          isGrowing={isActive}
          selectedKey={selectedKey}
          onSelect={(entry) => {
            setSelectedKey(entry.key);
            playback.seek(entry.at);
          }}
        />
      ) : log.isLoading ? (
        <LoadingState what="the time line" rows={8} />
      ) : (
        <EmptyState
          icon="filter"
          title="Nothing matches"
          action={<Button onClick={() => setFilter(everything)}>Show everything</Button>}
        />
      )}
      <footer className="timeline__foot">
        <span role="status">
          {shown.length === log.entries.length
            ? count(shown.length, "entry", "entries")
            : `${shown.length.toLocaleString()} of ${count(log.entries.length, "entry", "entries")}`}
        </span>
        {log.more !== null && <Button onClick={log.more}>Load more</Button>}
      </footer>
      {selected !== undefined && (
        <EntryDetails
          session={session}
          entry={selected}
          startAt={startAt}
          onClose={() => setSelectedKey(null)}
        />
      )}
    </div>
  );
}
