import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { isMissing } from "../api/api-client.ts";
import { sessionPath, useSession } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { useEvents } from "../api/use-events.ts";
import { StopDialog } from "../sessions/stop-dialog.tsx";
import { useTitle } from "../shell/use-title.ts";
import { Playback } from "../timeline/playback.ts";
import { Timeline } from "../timeline/timeline.tsx";
import { useEntries } from "../timeline/use-entries.ts";
import { shortId } from "../ui/format.ts";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { EndBanner } from "./end-banner.tsx";
import { SessionHeader } from "./session-header.tsx";
import { SessionPanels } from "./session-panels.tsx";
import { Stage } from "./stage.tsx";
import "./session.css";

export function SessionScreen({ id }: { readonly id: string }) {
  useTitle(`Session ${shortId(id)}`);
  const [isOver, setOver] = useState(false);
  const client = useQueryClient();
  const isLive = useEvents(isOver ? null : sessionPath(id, "events"), ({ event }) => {
    if (event === "step" || event === "step_started") {
      void client.invalidateQueries({ queryKey: ["steps", id] });
    }
    if (event === "state" || event === "end") {
      void client.invalidateQueries({ queryKey: ["session", id] });
    }
    if (event === "end") {
      for (const kind of ["steps", "log"]) {
        void client.invalidateQueries({ queryKey: [kind, id] });
      }
    }
  });
  const session = useSession(id, isLive);
  if (session.data !== undefined && session.data.status !== "active" && !isOver) setOver(true);

  if (session.data !== undefined) {
    return <LoadedSession session={session.data} isLive={isLive} />;
  }
  return (
    <div className="screen">
      <h1 className="hidden" tabIndex={-1}>
        Session {shortId(id)}
      </h1>
      {session.isPending && <LoadingState what="the session" rows={5} />}
      {session.isError &&
        (isMissing(session.error) ? (
          <EmptyState
            icon="search"
            title="No such session"
            action={
              <Link href="/" className="button button--plain">
                To the sessions
              </Link>
            }
          >
            <p>No session of yours has this id. It may belong to another key's tenant.</p>
          </EmptyState>
        ) : (
          <ErrorState
            title="The session could not be loaded"
            error={session.error}
            onRetry={() => void session.refetch()}
          />
        ))}
    </div>
  );
}

interface LoadedSessionProps {
  readonly session: Session;
  readonly isLive: boolean;
}

function LoadedSession({ session, isLive }: LoadedSessionProps) {
  const [playback] = useState(() => new Playback());
  const [isStopping, setStopping] = useState(false);
  const log = useEntries(session, isLive);
  return (
    <div className="session">
      <SessionHeader session={session} onStop={() => setStopping(true)} />
      {session.status !== "active" && <EndBanner session={session} />}
      <div className="session__body">
        <section className="session__stage" aria-label="What it showed">
          <Stage session={session} playback={playback} entries={log.entries} />
        </section>
        <section className="session__timeline" aria-label="Time line">
          <Timeline session={session} playback={playback} log={log} />
        </section>
        <section className="session__panels" aria-label="About this session">
          <SessionPanels session={session} />
        </section>
      </div>
      {isStopping && <StopDialog session={session} onClose={() => setStopping(false)} />}
    </div>
  );
}
