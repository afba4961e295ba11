import { useEffect, useRef, useState } from "react";
import type { Replay, Session } from "../api/types.ts";
import type { Entry } from "../timeline/entries.ts";
import { type Playback, usePlayback } from "../timeline/playback.ts";
import { IconButton } from "../ui/button.tsx";
import { formatClock, shortId } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { onThisOrigin } from "./same-origin.ts";
import { Screen } from "./screen.tsx";
import { Scrubber } from "./scrubber.tsx";
import { useSkipStill } from "./use-skip-still.ts";

const speeds = [0.5, 1, 2, 4, 8] as const;

interface ReplayPlayerProps {
  readonly session: Session;
  readonly replay: Replay;
  readonly playback: Playback;
  readonly entries: readonly Entry[];
  /** The video's signed URL does not work any more. */
  readonly onExpired: () => void;
}

export function ReplayPlayer(props: ReplayPlayerProps) {
  const { session, replay, playback, entries, onExpired } = props;
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const startAt = videoStart(session, replay);
  const [durationMs, setDurationMs] = useState(replay.video_duration_ms ?? 0);
  const [speed, setSpeed] = useState<number>(1);
  const [skipsStill, setSkipsStill] = useState(true);
  const [problem, setProblem] = useState(false);
  const isPlaying = usePlayback(playback, ({ isPlaying }) => isPlaying);
  const second = usePlayback(playback, ({ at }) =>
    at === null ? 0 : Math.max(0, Math.floor((at - startAt) / 1000)),
  );
  useSkipStill(playback, entries, skipsStill && isPlaying);

  useEffect(() => {
    const element = video.current;
    return element === null ? undefined : playback.attach(element, startAt);
  }, [playback, startAt]);

  useEffect(() => {
    if (video.current !== null) video.current.playbackRate = speed;
  }, [speed]);

  const source = onThisOrigin(replay.mp4_url ?? "");
  return (
    <div ref={stage} className="stage__replay">
      <Screen session={session}>
        {/* biome-ignore lint/a11y/useMediaCaption: a recording has no sound */}
        <video
          ref={video}
          className="stage__video"
          src={source}
          preload="auto"
          playsInline
          aria-label={`Replay of session ${shortId(session.session_id)}`}
          onClick={() => playback.toggle()}
          onLoadedMetadata={(event) => {
            event.currentTarget.playbackRate = speed;
            const { duration } = event.currentTarget;
            if (Number.isFinite(duration)) setDurationMs(duration * 1000);
            setProblem(false);
          }}
          onError={() => {
            if (Date.parse(replay.expires_at) < Date.now()) onExpired();
            else setProblem(true);
          }}
        />
        {problem && (
          <p className="stage__problem" role="alert">
            The video could not be played. <a href={source}>Download it</a> to look at it elsewhere.
          </p>
        )}
      </Screen>
      <div className="player">
        <IconButton
          icon={isPlaying ? "pause" : "play"}
          label={isPlaying ? "Pause" : "Play"}
          className="player__play"
          onClick={() => playback.toggle()}
        />
        <Scrubber playback={playback} startAt={startAt} durationMs={durationMs} entries={entries} />
        <span className="player__clock">
          {formatClock(second * 1000)} <span>/ {formatClock(durationMs)}</span>
        </span>
      </div>
      <div className="stage__bar">
        <label className="check check--small">
          <input
            type="checkbox"
            checked={skipsStill}
            onChange={(event) => setSkipsStill(event.target.checked)}
          />
          Skip what stands still
        </label>
        <span className="stage__tools">
          <label className="speed">
            <span className="hidden">Speed</span>
            <select
              className="input input--small"
              value={speed}
              onChange={(event) => setSpeed(Number(event.target.value))}
            >
              {speeds.map((value) => (
                <option key={value} value={value}>
                  {value} ×
                </option>
              ))}
            </select>
          </label>
          <a
            className="button button--quiet button--icon"
            href={source}
            download={`nightjar-${shortId(session.session_id)}.mp4`}
            aria-label="Download the video"
            title="Download the video"
          >
            <Icon name="download" />
          </a>
          <IconButton
            icon="expand"
            label="Full screen"
            onClick={() => void toggleFullscreen(stage.current)}
          />
        </span>
      </div>
    </div>
  );
}

/** When the video's first frame was shown, epoch ms. */
function videoStart(session: Session, { video_start_ms }: Replay): number {
  const createdAt = Date.parse(session.created_at);
  if (video_start_ms == null) return createdAt;
  // As a time of its own, or as one since the session's start.
  return video_start_ms > 1e11 ? video_start_ms : createdAt + video_start_ms;
}

async function toggleFullscreen(element: Element | null): Promise<void> {
  if (document.fullscreenElement !== null) await document.exitFullscreen();
  else await element?.requestFullscreen().catch(() => {});
}
