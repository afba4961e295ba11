import { formatDuration, formatMoment } from "../ui/format.ts";
import { useNow } from "../ui/use-now.ts";
import type { Entry } from "./entries.ts";

interface RunningLineProps {
  readonly entry: Entry;
  /** The session's start, epoch ms. */
  readonly startAt: number;
  readonly onSelect: () => void;
}

/**
 * What is being done now and for how long, above the list: there, the requests of a page that is
 * stuck soon push it out of sight.
 */
export function RunningLine({ entry, startAt, onSelect }: RunningLineProps) {
  const now = useNow(1000);
  const forMs = Math.max(0, Math.floor((now - entry.at) / 1000) * 1000);
  return (
    <button type="button" className="running-line" onClick={onSelect}>
      <span className="running-line__word">Running</span>
      <span className="running-line__title">{entry.title}</span>
      <span className="running-line__time">
        since {formatMoment(entry.at - startAt)}
        {forMs >= 1000 && `, for ${formatDuration(forMs)}`}
      </span>
    </button>
  );
}
