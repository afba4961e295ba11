import { z } from "zod";

const epochMs = (text: string) =>
  z
    .int()
    .nullable()
    .meta({ examples: [1_795_521_600_000] })
    .describe(text);

export const replayAnswer = z
  .object({
    mp4_url: z
      .url()
      .nullable()
      .describe("The video (H.264 in MP4) for whoever has the URL, without a key; takes ranges.")
      .meta({
        examples: ["http://127.0.0.1:7777/replays/f47ac10b/replay.mp4?expires=...&token=..."],
      }),
    playlist_content: z
      .string()
      .nullable()
      .describe("Always null: the video is one file, which every player seeks in by ranges."),
    expires_at: z.iso
      .datetime({ offset: true })
      .describe("Until when the URL is good.")
      .meta({ examples: ["2026-11-24T12:00:00.000+00:00"] }),
    video_start_ms: epochMs("When the video begins, in ms since 1970: add a position in it."),
    video_duration_ms: z
      .int()
      .min(0)
      .nullable()
      .describe("How long it is, in ms; true to real time.")
      .meta({ examples: [61_250] }),
    size_bytes: z.int().min(0).describe("Of the file. (An addition of Nightjar.)"),
    thinned_from_ms: epochMs(
      "From when on pictures were left out because the recording had used its room, in ms since 1970; null where none were. (An addition of Nightjar.)",
    ),
  })
  .meta({ id: "SessionReplay" });

export const recordingRemovedAnswer = z
  .object({
    success: z.literal(true).describe("Failures are answered as errors."),
    message: z.string().describe("What was done, in words."),
  })
  .meta({ id: "RecordingRemoved" });

export const replayUrlParams = z.object({
  session_id: z.string().describe("What the URL says."),
});
