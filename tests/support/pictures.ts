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
