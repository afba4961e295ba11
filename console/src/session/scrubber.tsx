import { memo, useMemo } from "react";
import type { Entry } from "../timeline/entries.ts";
import { type Playback, usePlayback } from "../timeline/playback.ts";
import { formatClock } from "../ui/format.ts";

interface ScrubberProps {
  readonly playback: Playback;
  readonly startAt: number;
  readonly durationMs: number;
  readonly entries: readonly Entry[];
}

/** Fine enough for a hand, coarse enough to render seldom: how far the hand moves at once, in ms. */
const grainMs = 50;
const arrowKeyMs = 1000;

/** The whole session as a line: what happened when, and where the replay is. A slider to everyone. */
export function Scrubber({ playback, startAt, durationMs, entries }: ScrubberProps) {
  const offset = usePlayback(playback, ({ at }) =>
    at === null ? 0 : Math.round((at - startAt) / grainMs) * grainMs,
  );
  const share = durationMs === 0 ? 0 : Math.min(1, Math.max(0, offset / durationMs));
  return (
    <div className="scrubber">
      <Marks startAt={startAt} durationMs={durationMs} entries={entries} />
      <span className="scrubber__past" style={{ width: `${share * 100}%` }} aria-hidden="true" />
      <span className="scrubber__hand" style={{ left: `${share * 100}%` }} aria-hidden="true" />
      <input
        type="range"
        className="scrubber__input"
        aria-label="Moment of the replay"
        aria-valuetext={`${formatClock(offset)} of ${formatClock(durationMs)}`}
        min={0}
        max={Math.max(1, Math.round(durationMs))}
        step={1}
        value={Math.min(offset, Math.round(durationMs))}
        onChange={(event) => playback.seek(startAt + Number(event.target.value))}
        onKeyDown={(event) => {
          const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
          if (direction === undefined) return;
          event.preventDefault();
          playback.seek(startAt + offset + direction * arrowKeyMs);
        }}
      />
    </div>
  );
}

interface MarksProps {
  readonly startAt: number;
  readonly durationMs: number;
  readonly entries: readonly Entry[];
}

const width = 1000;
const lanes = [
  { name: "network", top: 20, bottom: 26, holds: (entry: Entry) => entry.kind === "network" },
  { name: "console", top: 15, bottom: 19, holds: (entry: Entry) => entry.kind === "console" },
  { name: "step", top: 4, bottom: 14, holds: (entry: Entry) => entry.kind === "step" },
  { name: "error", top: 4, bottom: 26, holds: (entry: Entry) => entry.isError },
] as const;

const Marks = memo(function Marks({ startAt, durationMs, entries }: MarksProps) {
  const drawn = useMemo(
    () =>
      lanes.map(({ name, top, bottom, holds }) => {
        // Thousands of entries fall onto a thousand places: each is drawn once.
        const places = new Set(
          entries
            .filter(holds)
            .map(({ at }) => Math.round(((at - startAt) / Math.max(1, durationMs)) * width))
            .filter((place) => place >= 0 && place <= width),
        );
        return { name, d: [...places].map((place) => `M${place} ${top}V${bottom}`).join("") };
      }),
    [startAt, durationMs, entries],
  );
  return (
    <svg
      className="scrubber__marks"
      viewBox={`0 0 ${width} 30`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {drawn.map(({ name, d }) => (
        <path key={name} className={`scrubber__mark scrubber__mark--${name}`} d={d} />
      ))}
    </svg>
  );
});
