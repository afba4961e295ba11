import { useState } from "react";
import type { Session } from "../api/types.ts";
import { browserOf } from "../sessions/session-table.tsx";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatTime } from "../ui/format.ts";
import { DeleteRecordingDialog } from "./delete-recording-dialog.tsx";
import { SessionFiles } from "./session-files.tsx";

export function SessionDetails({ session }: { readonly session: Session }) {
  const [isDeleting, setDeleting] = useState(false);
  const { network_request_bytes: sent = 0, network_response_bytes: received = 0 } = session;
  const facts: readonly (readonly [string, string])[] = [
    ["Id", session.session_id],
    ["Started", formatTime(session.created_at)],
    ["Last used", formatTime(session.last_accessed_at)],
    ...(session.closed_at === null ? [] : ([["Ended", formatTime(session.closed_at)]] as const)),
    ["Idle timeout", `${session.idle_timeout_minutes} min`],
    ["Longest duration", `${session.max_duration_minutes} min`],
    ["Browser", `${browserOf(session)}${session.headless ? ", headless" : ""}`],
    ["User agent", session.user_agent ?? "the browser's own"],
    ...(session.profile ? ([["Profile", profileText(session.profile)]] as const) : []),
    ["Proxy", session.proxies ? "yes" : "none"],
    ["Traffic", `${formatBytes(sent)} sent, ${formatBytes(received)} received`],
  ];
  const canDelete = session.status !== "active" && session.replay_status !== "processing";
  return (
    <div className="session-details">
      <dl className="facts facts--wide">
        {facts.map(([name, value]) => (
          <div key={name} className="facts__row">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <SessionFiles session={session} />
      {canDelete && (
        <p className="session-details__delete">
          <Button kind="quiet" icon="trash" onClick={() => setDeleting(true)}>
            Delete recording and logs…
          </Button>
        </p>
      )}
      {isDeleting && <DeleteRecordingDialog session={session} onClose={() => setDeleting(false)} />}
    </div>
  );
}

function profileText({ id, persist, error }: NonNullable<Session["profile"]>): string {
  if (!persist) return `${id}, read only`;
  return error === null ? `${id}, persisted` : `${id}. ${error}`;
}
