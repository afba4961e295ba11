import { memo } from "react";
import { formatDuration, formatMoment } from "../ui/format.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import type { Entry, EntryKind } from "./entries.ts";

const icons: Readonly<Record<EntryKind, IconName>> = {
  step: "step",
  network: "network",
  console: "console",
  session: "dot",
};

const kindNames: Readonly<Record<EntryKind, string>> = {
  step: "Step",
  network: "Request",
  console: "Console",
  session: "Session",
};

/** From when on a duration is worth saying in the list, in ms. */
const notableMs = 100;

interface EntryRowProps {
  readonly id: string;
  readonly entry: Entry;
  readonly startAt: number;
  /** From 1. */
  readonly position: number;
  readonly total: number;
  readonly isSelected: boolean;
  /** The replay is at this entry. */
  readonly isCurrent: boolean;
  /** The replay has not come to it yet. */
  readonly isAhead: boolean;
  readonly top: number;
  readonly height: number;
  readonly onSelect: (entry: Entry) => void;
}

export const EntryRow = memo(function EntryRow(props: EntryRowProps) {
  const { entry, isSelected, isCurrent, isAhead, top, height } = props;
  const { kind, isError, isRunning, note, durationMs } = entry;
  const classes = [
    "entry",
    `entry--${kind}`,
    isError && "entry--error",
    isRunning && "entry--running",
    isCurrent && "entry--current",
    isAhead && "entry--ahead",
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list box around it takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the focus stays on the list box, which names the active option
    <div
      id={props.id}
      role="option"
      aria-selected={isSelected}
      aria-setsize={props.total}
      aria-posinset={props.position}
      className={classes.filter(Boolean).join(" ")}
      style={{ height: `${height}px`, transform: `translateY(${top}px)` }}
      onClick={() => props.onSelect(entry)}
    >
      <span className="entry__time">{formatMoment(entry.at - props.startAt)}</span>
      <Icon name={isError ? "error" : icons[kind]} className="entry__icon" />
      <span className="hidden">
        {kindNames[kind]}
        {isError ? ", error" : ""}:{" "}
      </span>
      <span className="entry__title">{entry.title}</span>
      {note !== null && <span className="entry__note">{note}</span>}
      {durationMs !== null && durationMs >= notableMs && (
        <span className="entry__duration">{formatDuration(durationMs)}</span>
      )}
    </div>
  );
});
