import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Button } from "../ui/button.tsx";
import { type Entry, lastIndexAt } from "./entries.ts";
import { EntryRow } from "./entry-row.tsx";
import { type Playback, usePlayback } from "./playback.ts";

const rowHeight = 36;
const rowHeightForFingers = 44;
const rowsAPage = 10;

interface EntryListProps {
  readonly entries: readonly Entry[];
  readonly playback: Playback;
  /** The session's start, epoch ms. */
  readonly startAt: number;
  /** More entries come at its end. */
  readonly isGrowing: boolean;
  readonly selectedKey: string | null;
  readonly onSelect: (entry: Entry) => void;
}

/**
 * A list box of which only what is in sight is rendered: sessions have thousands of entries. It
 * keeps the moment of the replay, or the newest entry, in sight until the person scrolls away.
 */
export function EntryList(props: EntryListProps) {
  const { entries, playback, startAt, isGrowing, selectedKey, onSelect } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const id = useId();
  const [height] = useState(() =>
    matchMedia("(pointer: coarse)").matches ? rowHeightForFingers : rowHeight,
  );
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    getItemKey: (index) => entries[index]?.key ?? index,
  });

  const current = usePlayback(playback, ({ at }) => (at === null ? -1 : lastIndexAt(entries, at)));
  const hasReplay = usePlayback(playback, ({ at }) => at !== null);
  const target = hasReplay ? current : isGrowing ? entries.length - 1 : -1;

  useEffect(() => {
    if (follows && target >= 0) rows.scrollToIndex(target, { align: hasReplay ? "center" : "end" });
  }, [follows, target, hasReplay, rows]);

  const selected = selectedKey === null ? -1 : entries.findIndex(({ key }) => key === selectedKey);

  function select(index: number): void {
    const entry = entries[Math.min(entries.length - 1, Math.max(0, index))];
    if (entry === undefined) return;
    onSelect(entry);
    rows.scrollToIndex(Math.min(entries.length - 1, Math.max(0, index)), { align: "auto" });
  }

  function onKeyDown(event: KeyboardEvent): void {
    const from = selected === -1 ? Math.max(0, target) : selected;
    const to = {
      ArrowDown: selected === -1 ? from : from + 1,
      ArrowUp: from - 1,
      PageDown: from + rowsAPage,
      PageUp: from - rowsAPage,
      Home: 0,
      End: entries.length - 1,
      Enter: from,
      " ": from,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    setFollows(false);
    select(to);
  }

  return (
    <div className="entry-list">
      <div
        ref={scroller}
        className="entry-list__scroller"
        role="listbox"
        aria-label="Entries of the time line"
        tabIndex={0}
        aria-activedescendant={selected === -1 ? undefined : `${id}-${selected}`}
        onKeyDown={onKeyDown}
        onWheel={() => setFollows(false)}
        onTouchMove={() => setFollows(false)}
      >
        <div
          role="presentation"
          className="entry-list__all"
          style={{ height: `${rows.getTotalSize()}px` }}
        >
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const entry = entries[index];
            if (entry === undefined) return null;
            return (
              <EntryRow
                key={key}
                id={`${id}-${index}`}
                entry={entry}
                startAt={startAt}
                position={index + 1}
                total={entries.length}
                isSelected={index === selected}
                isCurrent={hasReplay && index === current}
                isAhead={hasReplay && index > current}
                top={start}
                height={height}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      </div>
      {!follows && target >= 0 && (
        <Button className="entry-list__follow" onClick={() => setFollows(true)}>
          {hasReplay ? "Follow the replay" : "Follow the newest"}
        </Button>
      )}
    </div>
  );
}
