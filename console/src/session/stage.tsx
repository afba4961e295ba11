import { useReplay } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import type { Entry } from "../timeline/entries.ts";
import type { Playback } from "../timeline/playback.ts";
import { EmptyState, ErrorState } from "../ui/states.tsx";
import { LiveView } from "./live-view.tsx";
import { ReplayPlayer } from "./replay-player.tsx";
import { Screen } from "./screen.tsx";

interface StageProps {
  readonly session: Session;
  readonly playback: Playback;
  readonly entries: readonly Entry[];
}

/** What the session shows: live while it runs, its replay afterwards, or why there is none. */
export function Stage({ session, playback, entries }: StageProps) {
  if (session.status === "active") return <LiveView session={session} />;
  return <Replay session={session} playback={playback} entries={entries} />;
}

function Replay({ session, playback, entries }: StageProps) {
  const replay = useReplay(session);
  switch (session.replay_status) {
    case "recording":
    case "processing":
      return (
        <Screen session={session}>
          <div className="state" role="status">
            <span className="progress" aria-hidden="true" />
            <p className="state__title">The replay is being prepared</p>
            <div className="state__text">
              <p>The video of this session is put together now. It appears here by itself.</p>
            </div>
          </div>
        </Screen>
      );
    case "failed":
      return (
        <Screen session={session}>
          <EmptyState icon="error" title="The replay could not be made">
            <p>
              What was recorded did not become a video; the server's log says why. Steps, network
              and console are on the time line.
            </p>
          </EmptyState>
        </Screen>
      );
    case "none":
      return <NoReplay />;
    default:
      break;
  }
  if (replay.isError) {
    return (
      <Screen session={session}>
        <ErrorState
          title="The replay could not be loaded"
          error={replay.error}
          onRetry={() => void replay.refetch()}
        />
      </Screen>
    );
  }
  if (replay.data === undefined) {
    return (
      <Screen session={session}>
        <div className="state" role="status">
          <span className="progress" aria-hidden="true" />
          <p className="state__title">Loading the replay</p>
        </div>
      </Screen>
    );
  }
  if (replay.data?.mp4_url == null) return <NoReplay />;
  return (
    <ReplayPlayer
      session={session}
      replay={replay.data}
      playback={playback}
      entries={entries}
      onExpired={() => void replay.refetch()}
    />
  );
}

function NoReplay() {
  return (
    <div className="stage__screen stage__screen--low">
      <EmptyState icon="film" title="There is no recording">
        <p>
          The session was started without one, it ended before it showed anything, or its recording
          was deleted, as those are that are over their time.
        </p>
      </EmptyState>
    </div>
  );
}
