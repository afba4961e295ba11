import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { likeJpeg } from "../../tests/support/pictures.ts";
import { frameRecord, readFrames } from "./frame-file.ts";
import { jpegSize } from "./jpeg-size.ts";

const frames = fc.array(
  fc.record({
    at: fc.nat(2_000_000_000_000),
    jpeg: fc
      .tuple(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 4000 }), fc.nat(500))
      .map(([width, height, bytes]) => likeJpeg(width, height, bytes)),
  }),
  { maxLength: 6 },
);

const fileOf = (written: readonly { readonly at: number; readonly jpeg: Buffer }[]) =>
  Buffer.concat(written.flatMap(({ at, jpeg }) => frameRecord(at, jpeg)));

describe("a file of frames", () => {
  it("gives back what was written, and after a cut every frame that is whole", () => {
    fc.assert(
      fc.property(frames, fc.double({ min: 0, max: 1, noNaN: true }), (written, share) => {
        const file = fileOf(written);
        const cut = Math.floor(file.length * share);
        let end = 0;
        const whole = written.filter((frame) => {
          end += fileOf([frame]).length;
          return end <= cut;
        });
        const read = readFrames(file.subarray(0, cut));
        expect(read.map(({ at, jpeg }) => ({ at, jpeg }))).toEqual(whole);
        for (const { jpeg, width, height } of read)
          expect({ width, height }).toEqual(jpegSize(jpeg));
      }),
    );
  });

  it("gives nothing of what a crash spoiled", () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, flip) => {
        const file = fileOf(written);
        if (file.length === 0) return;
        const spoiled = at % file.length;
        file[spoiled] = (file[spoiled] ?? 0) ^ flip;
        const read = readFrames(file);
        expect(read.length).toBeLessThan(written.length);
        expect(read.map((frame) => frame.at)).toEqual(
          written.slice(0, read.length).map((frame) => frame.at),
        );
      }),
    );
  });

  it("leaves out what is no picture, or one that no screen shows", () => {
    const file = fileOf([
      { at: 1, jpeg: Buffer.from("no picture") },
      { at: 2, jpeg: likeJpeg(60_000, 60_000, 100) },
      { at: 3, jpeg: likeJpeg(640, 480, 100) },
    ]);
    expect(readFrames(file).map(({ at }) => at)).toEqual([3]);
  });
});
