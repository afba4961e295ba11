import type { RecordedFrame } from "./frame-file.ts";
import type { PictureSize } from "./jpeg-size.ts";

/** The longer side of a video at most, in pixels: larger pictures are scaled down. */
const longestSide = 1920;

/**
 * The size of the video for frames (at least one): that of the pictures that were shown longest. Even
 * numbers, as the encoder needs.
 */
export function videoSize(frames: readonly RecordedFrame[]): PictureSize {
  const shownMs = new Map<string, number>();
  let longest = frames[0] ?? { width: 2, height: 2 };
  let longestMs = -1;
  for (const [index, frame] of frames.entries()) {
    const key = `${frame.width}x${frame.height}`;
    const untilMs = frames[index + 1]?.at ?? frame.at;
    const sum = (shownMs.get(key) ?? 0) + untilMs - frame.at;
    shownMs.set(key, sum);
    if (sum < longestMs) continue;
    longest = frame;
    longestMs = sum;
  }
  const scale = Math.min(1, longestSide / Math.max(longest.width, longest.height));
  return { width: even(longest.width * scale), height: even(longest.height * scale) };
}

function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2));
}
