import type { RecordedFrame } from "./frame-file.ts";
import type { PictureSize } from "./jpeg-size.ts";

/** How work is done: when it is asked to end, and whether somebody may wait for it. */
export interface EncodingOptions {
  readonly signal: AbortSignal;
  readonly awaited: boolean;
}

/** What a video is made with. */
export interface VideoForm extends PictureSize {
  /** The time of the video's first frame, epoch ms. */
  readonly startedAt: number;
}

/** Makes video of pictures. No method leaves a file when it throws. */
export interface Encoder {
  /** Encodes frames into a part of a video, which begins with a key frame. */
  encodePart(
    frames: readonly RecordedFrame[],
    form: VideoForm,
    to: string,
    options: EncodingOptions,
  ): Promise<void>;
  /** Joins the parts of a video into one MP4 file, as they are. */
  join(parts: readonly string[], to: string, options: EncodingOptions): Promise<void>;
  /** Encodes all frames of a video into an MP4 file at once. */
  encodeWhole(
    frames: readonly RecordedFrame[],
    form: VideoForm,
    to: string,
    options: EncodingOptions,
  ): Promise<void>;
}
