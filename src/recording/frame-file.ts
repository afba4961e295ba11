import { crc32 } from "node:zlib";
import { jpegSize } from "./jpeg-size.ts";

/** A picture of a recording. */
export interface RecordedFrame {
  /** When the page looked so, whole epoch ms; each frame is later than the one before. */
  readonly at: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly jpeg: Buffer;
}

/**
 * A file of frames is one record after the other: magic, time (a double), length of the picture,
 * CRC of time, length and picture, the picture. Every record carries all that is needed to read it,
 * so whatever a crash cuts off costs what was cut off and nothing else.
 */
const magic = Buffer.from("NJF1", "latin1");
const headerBytes = 20;

/** No screencast makes larger pictures; what says so is no record of ours. */
const mostPictureBytes = 32 * 1024 * 1024;
const mostPixelsASide = 8192;

/** A frame as it is appended to a file. */
export function frameRecord(at: number, jpeg: Buffer): readonly [header: Buffer, jpeg: Buffer] {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeDoubleBE(at, 4);
  header.writeUInt32BE(jpeg.length, 12);
  header.writeUInt32BE(checksum(header, jpeg), 16);
  return [header, jpeg];
}

/** The frames of a file, up to the first that is not whole. The pictures are views of `file`. */
export function readFrames(file: Buffer): readonly RecordedFrame[] {
  const frames: RecordedFrame[] = [];
  for (let start = 0; start + headerBytes <= file.length; ) {
    const header = file.subarray(start, start + headerBytes);
    const length = header.readUInt32BE(12);
    const end = start + headerBytes + length;
    if (!header.subarray(0, 4).equals(magic) || length > mostPictureBytes) break;
    if (end > file.length) break;
    const jpeg = file.subarray(start + headerBytes, end);
    if (header.readUInt32BE(16) !== checksum(header, jpeg)) break;
    const size = jpegSize(jpeg);
    if (size !== null && Math.max(size.width, size.height) <= mostPixelsASide) {
      frames.push({ at: header.readDoubleBE(4), ...size, jpeg });
    }
    start = end;
  }
  return frames;
}

function checksum(header: Buffer, jpeg: Buffer): number {
  return crc32(jpeg, crc32(header.subarray(4, 16)));
}
