import { Link } from "wouter";
import type { Session } from "../api/types.ts";
import { StatusBadge } from "../sessions/status-badge.tsx";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { formatClock, formatDuration, formatShortTime, formatTime, shortId } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { useNow } from "../ui/use-now.ts";

interface SessionHeaderProps {
  readonly session: Session;
  readonly onStop: () => void;
}

export function SessionHeader({ session, onStop }: SessionHeaderProps) {
  const id = session.session_id;
  const isActive = session.status === "active";
  return (
    <header className="session-head">
      <Link href="/" className="session-head__back" aria-label="All sessions" title="All sessions">
        <Icon name="back" />
      </Link>
      <h1 className="session-head__title" tabIndex={-1}>
        <span className="hidden">Session </span>
        <code title={id}>{shortId(id)}</code>
      </h1>
      <CopyButton text={id} what="the session's id" />
      <StatusBadge status={session.status} />
      <p className="session-head__times">
        <time dateTime={session.created_at} title={formatTime(session.created_at)}>
          {formatShortTime(session.created_at)}
        </time>
        <Lifetime session={session} />
      </p>
      {isActive && (
        <Button icon="stop" className="session-head__stop" onClick={onStop}>
          Stop
        </Button>
      )}
    </header>
  );
}

/** How long it has lived and, while it runs, when and why it would end if nothing happened. */
function Lifetime({ session }: { readonly session: Session }) {
  const isActive = session.status === "active";
  const now = useNow(isActive ? 1000 : null);
  const createdAt = Date.parse(session.created_at);
  const until = session.closed_at === null ? now : Date.parse(session.closed_at);
  const lived = formatDuration(Math.max(0, until - createdAt));
  if (!isActive) return <span>lasted {lived}</span>;
  const idleAt = Date.parse(session.last_accessed_at) + session.idle_timeout_minutes * 60_000;
  const maxAt = createdAt + session.max_duration_minutes * 60_000;
  const left = Math.max(0, Math.min(idleAt, maxAt) - now);
  return (
    <>
      <span>for {formatDuration(Math.floor(Math.max(0, until - createdAt) / 1000) * 1000)}</span>
      <span className={left < 60_000 ? "session-head__left--soon" : undefined}>
        {maxAt <= idleAt ? "ends in" : "ends, if idle, in"} {formatClock(left)}
      </span>
    </>
  );
}
