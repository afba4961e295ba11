import { Link, useLocation } from "wouter";
import type { Session } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { formatDuration, formatShortTime, formatTime, shortId } from "../ui/format.ts";
import { useNow } from "../ui/use-now.ts";
import { endNames } from "./end-words.ts";
import { StatusBadge } from "./status-badge.tsx";

interface SessionTableProps {
  readonly sessions: readonly Session[];
  readonly onStop: (session: Session) => void;
}

/** A table; on a phone each row becomes a card, hence the roles, which a changed display would lose. */
export function SessionTable({ sessions, onStop }: SessionTableProps) {
  const isAnyActive = sessions.some(({ status }) => status === "active");
  const now = useNow(isAnyActive ? 1000 : null);
  return (
    <table className="session-table" role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader">State</th>
          <th role="columnheader">Session</th>
          <th role="columnheader">Started</th>
          <th role="columnheader">Lasted</th>
          <th role="columnheader">Browser</th>
          <th role="columnheader">
            <span className="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {sessions.map((session) => (
          <SessionRow key={session.session_id} session={session} now={now} onStop={onStop} />
        ))}
      </tbody>
    </table>
  );
}

interface SessionRowProps {
  readonly session: Session;
  readonly now: number;
  readonly onStop: (session: Session) => void;
}

function SessionRow({ session, now, onStop }: SessionRowProps) {
  const [, navigate] = useLocation();
  const { session_id: id, status, created_at, closed_at } = session;
  const until = closed_at === null ? now : Date.parse(closed_at);
  const lasted = Math.max(0, until - Date.parse(created_at));
  const path = `/sessions/${id}`;
  return (
    // The link inside is what keyboards use; the row is a larger target for pointers.
    <tr
      role="row"
      className="session-row"
      onClick={(event) => {
        if (event.target instanceof Element && event.target.closest("a, button") === null) {
          navigate(path);
        }
      }}
    >
      <td role="cell" className="session-row__state">
        <StatusBadge status={status} />
      </td>
      <td role="cell" className="session-row__session">
        <Link href={path} className="session-row__id" title={id}>
          {shortId(id)}
        </Link>
        {session.end_reason !== null && (
          <span
            className={
              status === "error" ? "session-row__why session-row__why--bad" : "session-row__why"
            }
            title={session.error ?? undefined}
          >
            {endNames[session.end_reason] ?? session.end_reason}
            {session.error !== null && `: ${session.error}`}
          </span>
        )}
        {status === "active" && (
          <span className="session-row__why">
            Last used {formatDuration(Math.max(0, now - Date.parse(session.last_accessed_at)))} ago
          </span>
        )}
      </td>
      <td role="cell" className="session-row__started">
        <time dateTime={created_at} title={formatTime(created_at)}>
          {formatShortTime(created_at, now)}
        </time>
      </td>
      <td role="cell" className="session-row__lasted">
        {formatDuration(status === "active" ? Math.floor(lasted / 1000) * 1000 : lasted)}
      </td>
      <td role="cell" className="session-row__browser">
        {browserOf(session)}
      </td>
      <td role="cell" className="session-row__actions">
        {status === "active" && (
          <Button
            kind="quiet"
            icon="stop"
            aria-label={`Stop session ${shortId(id)}`}
            onClick={() => onStop(session)}
          >
            Stop
          </Button>
        )}
      </td>
    </tr>
  );
}

export function browserOf({ browser_type, viewport_width, viewport_height }: Session): string {
  const size = viewport_width === null ? "elsewhere" : `${viewport_width} × ${viewport_height}`;
  return `${browser_type} · ${size}`;
}
