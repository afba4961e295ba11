import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { type SessionFilter, useSessions } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { useEvents } from "../api/use-events.ts";
import { useTitle } from "../shell/use-title.ts";
import { Button } from "../ui/button.tsx";
import { LiveMark } from "../ui/live-mark.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { SessionFilters } from "./session-filters.tsx";
import { SessionTable } from "./session-table.tsx";
import { StartDialog } from "./start-dialog.tsx";
import { StopDialog } from "./stop-dialog.tsx";
import { useSessionFilter } from "./use-session-filter.ts";
import "./sessions.css";

export function SessionsScreen() {
  useTitle("Sessions");
  const [filter, setFilter] = useSessionFilter();
  const client = useQueryClient();
  const isLive = useEvents("/events", () => {
    void client.invalidateQueries({ queryKey: ["sessions"] });
  });
  const sessions = useSessions(filter, isLive);
  const [isStarting, setStarting] = useState(false);
  const [stopping, setStopping] = useState<Session | null>(null);
  const closeStop = useCallback(() => setStopping(null), []);
  const isFirstPage = filter.page === 1;

  return (
    <div className="screen">
      <header className="screen__head">
        <div>
          <h1 tabIndex={-1}>Sessions</h1>
          <LiveMark isLive={isLive} />
        </div>
        <Button kind="primary" icon="plus" onClick={() => setStarting(true)}>
          Start a session
        </Button>
      </header>

      <SessionFilters filter={filter} onChange={setFilter} />

      <section
        className="panel"
        aria-label="Sessions that match"
        aria-busy={sessions.isPlaceholderData || undefined}
      >
        {sessions.isPending && <LoadingState what="sessions" rows={6} />}
        {sessions.isError && sessions.data === undefined && (
          <ErrorState
            title="The sessions could not be loaded"
            error={sessions.error}
            onRetry={() => void sessions.refetch()}
          />
        )}
        {sessions.data !== undefined && (
          <>
            {sessions.isError && (
              <p className="notice notice--warn" role="status">
                This may be out of date: {sessions.error.message}
              </p>
            )}
            {sessions.data.items.length === 0 ? (
              <NoSessions filter={filter} onStart={() => setStarting(true)} onClear={setFilter} />
            ) : (
              <SessionTable sessions={sessions.data.items} onStop={setStopping} />
            )}
            {(sessions.data.has_next || !isFirstPage) && (
              <nav className="pager" aria-label="Pages of sessions">
                <Button
                  icon="back"
                  disabled={isFirstPage}
                  onClick={() => setFilter({ ...filter, page: filter.page - 1 })}
                >
                  Newer
                </Button>
                <span>Page {filter.page}</span>
                <Button
                  disabled={!sessions.data.has_next}
                  onClick={() => setFilter({ ...filter, page: filter.page + 1 })}
                >
                  Older
                </Button>
              </nav>
            )}
          </>
        )}
      </section>

      {isStarting && <StartDialog onClose={() => setStarting(false)} />}
      {stopping !== null && <StopDialog session={stopping} onClose={closeStop} />}
    </div>
  );
}

interface NoSessionsProps {
  readonly filter: SessionFilter;
  readonly onStart: () => void;
  readonly onClear: (filter: SessionFilter) => void;
}

function NoSessions({ filter, onStart, onClear }: NoSessionsProps) {
  if (filter.page > 1) {
    return (
      <EmptyState
        icon="sessions"
        title="There is nothing on this page"
        action={
          <Button onClick={() => onClear({ ...filter, page: 1 })}>To the newest sessions</Button>
        }
      />
    );
  }
  if (filter.status === null && filter.search === "") {
    return (
      <EmptyState
        icon="moon"
        title="All quiet"
        action={
          <Button kind="primary" icon="plus" onClick={onStart}>
            Start a session
          </Button>
        }
      >
        <p>
          Sessions appear here as your agents start them. To look around, start one yourself and
          watch it.
        </p>
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon="search"
      title="No session matches"
      action={
        <Button onClick={() => onClear({ status: null, search: "", page: 1 })}>
          Show all sessions
        </Button>
      }
    >
      <p>The search looks for the beginning of an id, for end reasons and for error texts.</p>
    </EmptyState>
  );
}
