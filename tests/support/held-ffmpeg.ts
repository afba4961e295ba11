import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** An ffmpeg that waits before it encodes while it is told to, so that a test can look meanwhile. */
export class HeldFfmpeg {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(): Promise<HeldFfmpeg> {
    const directory = await mkdtemp(path.join(tmpdir(), "nightjar-ffmpeg-"));
    // It runs as another user where the server is root.
    await chmod(directory, 0o755);
    const held = new HeldFfmpeg(directory);
    const script = `#!/bin/sh
case "$*" in
  *-version*) ;;
  *) while [ -e '${held.#mark}' ]; do sleep 0.05; done ;;
esac
exec ffmpeg "$@"
`;
    await writeFile(held.path, script, { mode: 0o755 });
    await chmod(held.path, 0o755);
    return held;
  }

  get path(): string {
    return path.join(this.#directory, "ffmpeg");
  }

  async hold(): Promise<void> {
    await writeFile(this.#mark, "");
    await chmod(this.#mark, 0o644);
  }

  async letGo(): Promise<void> {
    await rm(this.#mark, { force: true });
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #mark(): string {
    return path.join(this.#directory, "hold");
  }
}
