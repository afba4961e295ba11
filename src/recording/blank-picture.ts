import type { PictureSize } from "./jpeg-size.ts";

/** A macroblock of 4:2:0, as browsers' pictures have it: four blocks of brightness, one of each colour. */
const macroblockSide = 16;
const bitsAMacroblock = 6 * 2;

const startOfImage = Buffer.from([0xff, 0xd8]);
const endOfImage = Buffer.from([0xff, 0xd9]);

/**
 * A JPEG (ITU-T T.81, baseline) of a white page. White is one value in its first block; of every other
 * block it says that it is as the one before, in two bits that are 0 by these tables of codes.
 */
export function blankPicture({ width, height }: PictureSize): Buffer {
  const macroblocks = Math.ceil(width / macroblockSide) * Math.ceil(height / macroblockSide);
  // The first block takes eight bits more.
  const scan = Buffer.alloc(Math.ceil((macroblocks * bitsAMacroblock + 8) / 8));
  // Code 10: seven bits follow; these say 127; code 0: no more of this block.
  scan.writeUInt16BE(0b10_1111111_0_000000, 0);
  return Buffer.concat([
    startOfImage,
    // Divisors of 8: 127 times that is as far from grey as white is.
    segment(0xdb, [0, ...Array<number>(64).fill(8)]),
    segment(0xc0, [
      ...[8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3],
      ...[1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0],
    ]),
    // First values of blocks: code 0 for no difference, code 10 for one of seven bits.
    segment(0xc4, [0x00, 1, 1, ...Array<number>(14).fill(0), 0, 7]),
    // Further values: code 0 for no more of them.
    segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 0]),
    segment(0xda, [3, 1, 0x00, 2, 0x00, 3, 0x00, 0, 63, 0]),
    scan,
    endOfImage,
  ]);
}

function segment(marker: number, content: readonly number[]): Buffer {
  const length = content.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 0xff, ...content]);
}
