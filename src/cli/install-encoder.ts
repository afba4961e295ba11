import { Command } from "commander";
import type { Config } from "../config.ts";
import { ensureEncoder } from "../recording/encoder-install.ts";

/** `nightjar install-encoder`: finds an ffmpeg, or installs it where there is none. */
export function installEncoderCommand(config: () => Config): Command {
  return new Command("install-encoder")
    .description("find a video encoder for replays, or install one where there is none")
    .action(async () => {
      const { ffmpegPath } = config();
      const { ffmpeg, problem } = await ensureEncoder(ffmpegPath, (line) => console.error(line));
      if (ffmpeg !== null) {
        console.log(`ffmpeg ${ffmpeg.version}: ${ffmpeg.path}`);
        return;
      }
      console.error(`${problem} Until then sessions have no replays.`);
      process.exitCode = 1;
    });
}
