import { useEffect } from "react";
import { type Entry, lastIndexAt } from "../timeline/entries.ts";
import type { Playback } from "../timeline/playback.ts";

/** How long after an entry there may still be something to see, and how long before the next, in ms. */
const lingerMs = 3000;
const leadMs = 1000;

/** While on, jumps over the times in which nothing happened. */
export function useSkipStill(playback: Playback, entries: readonly Entry[], isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return;
    return playback.subscribe(() => {
      const { at } = playback;
      if (at === null || !playback.isPlaying) return;
      const index = lastIndexAt(entries, at);
      const last = entries[index];
      const next = entries[index + 1];
      if (next === undefined) return;
      const busyUntil = last === undefined ? 0 : last.at + (last.durationMs ?? 0) + lingerMs;
      const target = next.at - leadMs;
      if (at > busyUntil && target > at + leadMs) playback.seek(target);
    });
  }, [playback, entries, isOn]);
}
