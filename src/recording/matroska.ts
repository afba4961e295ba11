/**
 * Just enough of Matroska (RFC 9559) to tell an encoder when each picture was shown: JPEGs with a
 * time of their own, as a stream without an end. What is plain enough to be written by hand.
 */
import type { PictureSize } from "./jpeg-size.ts";

const trackNumber = 1;
const unknownSize = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/** What the stream begins with. `size` is a hint: each picture may have its own. */
export function matroskaHeader(size: PictureSize): Buffer {
  const head = element(0x1a45dfa3, [
    unsigned(0x4286, 1),
    unsigned(0x42f7, 1),
    unsigned(0x42f2, 4),
    unsigned(0x42f3, 8),
    text(0x4282, "matroska"),
    unsigned(0x4287, 4),
    unsigned(0x4285, 2),
  ]);
  const info = element(0x1549a966, [
    // Times are in ms.
    unsigned(0x2ad7b1, 1_000_000),
    text(0x4d80, "nightjar"),
    text(0x5741, "nightjar"),
  ]);
  const video = element(0xe0, [unsigned(0xb0, size.width), unsigned(0xba, size.height)]);
  const track = element(0xae, [
    unsigned(0xd7, trackNumber),
    unsigned(0x73c5, 1),
    unsigned(0x83, 1),
    // No lacing: a block is a picture.
    unsigned(0x9c, 0),
    text(0x86, "V_MJPEG"),
    video,
  ]);
  const segment = Buffer.concat([id(0x18538067), unknownSize]);
  return Buffer.concat([head, segment, info, element(0x1654ae6b, [track])]);
}

/** A picture that is shown from `timeMs` (from the beginning of the stream) until the next one. */
export function matroskaFrame(timeMs: number, jpeg: Buffer): Buffer {
  // Track, time within the cluster (16 bits), flags: a key frame.
  const block = Buffer.from([0x80 | trackNumber, 0, 0, 0x80]);
  return element(0x1f43b675, [unsigned(0xe7, timeMs), element(0xa3, [block, jpeg])]);
}

function element(elementId: number, content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(length));
  size[0] = 0x01;
  return Buffer.concat([id(elementId), size, ...content]);
}

function unsigned(elementId: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(elementId, [bytes]);
}

function text(elementId: number, value: string): Buffer {
  return element(elementId, [Buffer.from(value, "latin1")]);
}

function id(elementId: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(elementId);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}
