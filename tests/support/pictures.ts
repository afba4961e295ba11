import { execFileSync } from "node:child_process";

/** A JPEG of one colour, as ffmpeg makes it: `color` by name or `0xrrggbb`. */
export function colorJpeg(color: string, size = "320x240"): Buffer {
  return execFileSync(
    "ffmpeg",
    [
      ...["-loglevel", "error", "-f", "lavfi", "-i", `color=${color}:size=${size}`],
      ...["-frames:v", "1", "-f", "mjpeg", "pipe:1"],
    ],
    { maxBuffer: 10_000_000 },
  );
}

/** What begins like a JPEG of this size, and has `bytes` in all; no decoder would take it. */
export function likeJpeg(width: number, height: number, bytes: number): Buffer {
  const jpeg = Buffer.alloc(Math.max(bytes, 13), 0x55);
  jpeg.writeUInt32BE(0xffd8ffc0, 0);
  jpeg.writeUInt16BE(11, 4);
  jpeg[6] = 8;
  jpeg.writeUInt16BE(height, 7);
  jpeg.writeUInt16BE(width, 9);
  return jpeg;
}
