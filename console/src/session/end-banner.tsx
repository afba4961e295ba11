import type { Session } from "../api/types.ts";
import { endNames, endSentence } from "../sessions/end-words.ts";
import { formatTime } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";

const icons = { closed: "check", timed_out: "clock", error: "error", active: "dot" } as const;

/** Why it ended: the first thing that whoever opens an ended session wants to know. */
export function EndBanner({ session }: { readonly session: Session }) {
  const { end_reason: reason, error, closed_at: closedAt } = session;
  if (reason === null) return null;
  return (
    <section className={`end-banner end-banner--${session.status}`} aria-label="How it ended">
      <Icon name={icons[session.status]} className="end-banner__icon" />
      <div>
        <p className="end-banner__title">
          {endNames[reason] ?? reason} <code>{reason}</code>
        </p>
        <p className="end-banner__text">
          {endSentence(session)}
          {closedAt !== null && (
            <>
              {" "}
              <time dateTime={closedAt}>{formatTime(closedAt)}</time>.
            </>
          )}
        </p>
        {error !== null && <p className="end-banner__error">{error}</p>}
      </div>
    </section>
  );
}
