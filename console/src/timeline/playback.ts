import { useSyncExternalStore } from "react";

/**
 * The replay's moment, shared by the video and the time line: either may move it, both follow.
 * Times are epoch ms, as the session lived them.
 */
export class Playback {
  #video: HTMLVideoElement | null = null;
  #startAt = 0;
  /** Where to begin once a video is there. */
  #wanted: number | null = null;
  readonly #listeners = new Set<() => void>();

  /** Null while there is no video. */
  get at(): number | null {
    return this.#video === null ? null : this.#startAt + this.#video.currentTime * 1000;
  }

  get isPlaying(): boolean {
    return this.#video !== null && !this.#video.paused && !this.#video.ended;
  }

  /** Takes up a video whose first frame was shown at `startAt`; returns the way to let it go. */
  attach(video: HTMLVideoElement, startAt: number): () => void {
    this.#video = video;
    this.#startAt = startAt;
    const end = new AbortController();
    const { signal } = end;
    const told = ["timeupdate", "seeking", "seeked", "play", "pause", "ended", "durationchange"];
    for (const name of told) video.addEventListener(name, this.#tell, { signal });
    video.addEventListener("loadedmetadata", () => this.#goWhereWanted(), { signal });
    this.#goWhereWanted();
    // `timeupdate` comes four times a second, too seldom for a hand that moves along a line.
    let frame = requestAnimationFrame(function follow(this: void) {
      if (!video.paused) tell();
      frame = requestAnimationFrame(follow);
    });
    const tell = this.#tell;
    this.#tell();
    return () => {
      cancelAnimationFrame(frame);
      end.abort();
      this.#wanted = this.at;
      this.#video = null;
      this.#tell();
    };
  }

  /** Shows the moment `at`, as near as the video comes to it. */
  seek(at: number): void {
    this.#wanted = at;
    this.#goWhereWanted();
  }

  toggle(): void {
    const video = this.#video;
    if (video === null) return;
    if (video.paused) void video.play().catch(() => {});
    else video.pause();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #goWhereWanted(): void {
    const video = this.#video;
    if (video === null || this.#wanted === null || video.readyState === 0) return;
    const longest = Number.isFinite(video.duration) ? video.duration : Number.POSITIVE_INFINITY;
    video.currentTime = Math.min(longest, Math.max(0, (this.#wanted - this.#startAt) / 1000));
    this.#wanted = null;
    this.#tell();
  }

  #tell = (): void => {
    for (const listener of this.#listeners) listener();
  };
}

/** What `select` makes of the replay's moment; renders again only when that changes. */
export function usePlayback<Selected extends string | number | boolean | null>(
  playback: Playback,
  select: (playback: Playback) => Selected,
): Selected {
  return useSyncExternalStore(playback.subscribe, () => select(playback));
}
