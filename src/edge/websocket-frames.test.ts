import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ClientMessageReader,
  clientFrame,
  closePayload,
  FrameError,
  MessageBoundaryTracker,
  opcodes,
  readFrameHeader,
  serverFrame,
  unmask,
} from "./websocket-frames.ts";

interface Message {
  readonly opcode: number;
  /** One frame each. */
  readonly parts: readonly Buffer[];
}

/** Lengths around the three forms of a frame's length field, and some between. */
const payloads = fc
  .oneof(fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536), fc.nat(300))
  .map((length) => Buffer.from(Array.from({ length }, (_value, index) => (index * 7) & 0xff)));

const dataMessages: fc.Arbitrary<Message> = fc.record({
  opcode: fc.constantFrom(opcodes.text, opcodes.binary),
  parts: fc.array(payloads, { minLength: 1, maxLength: 4 }),
});

const controlMessages: fc.Arbitrary<Message> = fc.record({
  opcode: fc.constantFrom(opcodes.ping, opcodes.pong, opcodes.close),
  parts: fc.nat(125).map((length) => [Buffer.alloc(length, "c")]),
});

const messageSequences = fc.array(fc.oneof(dataMessages, controlMessages), { maxLength: 6 });

/** Cuts bytes at any places, the same place twice (an empty chunk) included. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  places.sort((left, right) => left - right);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

/** A client's frame with any mask, of any length, final or not. */
function maskedFrame(opcode: number, payload: Buffer, final: boolean, mask: Buffer): Buffer {
  const frame = Buffer.from(clientFrame(opcode, payload));
  const header = readFrameHeader(frame);
  if (header === null) throw new Error("clientFrame made no frame");
  mask.copy(frame, header.headerLength - 4);
  unmask(payload, mask).copy(frame, header.headerLength);
  frame.writeUInt8((final ? 0x80 : 0) | opcode, 0);
  return frame;
}

function framesOf(message: Message, mask: Buffer): readonly Buffer[] {
  return message.parts.map((part, index) =>
    maskedFrame(
      index === 0 ? message.opcode : opcodes.continuation,
      part,
      index === message.parts.length - 1,
      mask,
    ),
  );
}

const masks = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes));
const cutPlaces = fc.array(fc.nat(300_000), { maxLength: 12 });

describe("the reader of a client's messages", () => {
  test("gives the same messages however the bytes are cut into chunks", () => {
    fc.assert(
      fc.property(messageSequences, masks, cutPlaces, (messages, mask, cuts) => {
        const frames = messages.map((message) => framesOf(message, mask));
        const reader = new ClientMessageReader(1_000_000);
        const read = chunksOf(Buffer.concat(frames.flat()), cuts).flatMap((chunk) =>
          reader.read(Buffer.from(chunk)),
        );
        expect(read.map(({ opcode }) => opcode)).toEqual(messages.map(({ opcode }) => opcode));
        for (const [index, message] of messages.entries()) {
          const got = read[index];
          expect(got?.payload.equals(Buffer.concat(message.parts))).toBe(true);
          const passedOn = Buffer.concat(got?.frames ?? []);
          expect(passedOn.equals(Buffer.concat(frames[index] ?? []))).toBe(true);
        }
      }),
    );
  });

  test("gives the same messages when every byte comes alone", () => {
    fc.assert(
      fc.property(fc.array(controlMessages, { maxLength: 4 }), masks, (messages, mask) => {
        const reader = new ClientMessageReader(1000);
        const bytes = Buffer.concat(messages.flatMap((message) => framesOf(message, mask)));
        const read = [...bytes].flatMap((byte) => reader.read(Buffer.from([byte])));
        expect(read.map(({ payload }) => payload)).toEqual(
          messages.map(({ parts }) => Buffer.concat(parts)),
        );
      }),
    );
  });

  test("takes control frames between the frames of a message", () => {
    const mask = Buffer.from([1, 2, 3, 4]);
    const reader = new ClientMessageReader(1000);
    const read = reader.read(
      Buffer.concat([
        maskedFrame(opcodes.text, Buffer.from("Night"), false, mask),
        maskedFrame(opcodes.ping, Buffer.from("?"), true, mask),
        maskedFrame(opcodes.continuation, Buffer.from("jar"), true, mask),
      ]),
    );
    expect(read.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
      [opcodes.ping, "?"],
      [opcodes.text, "Nightjar"],
    ]);
  });

  test("refuses a message above the limit as soon as its header is there", () => {
    const reader = new ClientMessageReader(1000);
    const whole = clientFrame(opcodes.text, Buffer.alloc(1001));
    expect(() => reader.read(whole.subarray(0, 8))).toThrow(
      expect.objectContaining({ closeCode: 1009 }),
    );
  });

  test("refuses frames that are each below the limit and together above it", () => {
    const reader = new ClientMessageReader(1000);
    const mask = Buffer.alloc(4);
    reader.read(maskedFrame(opcodes.text, Buffer.alloc(600), false, mask));
    const second = maskedFrame(opcodes.continuation, Buffer.alloc(600), true, mask);
    expect(() => reader.read(second)).toThrow(expect.objectContaining({ closeCode: 1009 }));
  });

  test("takes a message of exactly the limit", () => {
    const reader = new ClientMessageReader(1000);
    expect(reader.read(clientFrame(opcodes.text, Buffer.alloc(1000)))).toHaveLength(1);
  });

  const mask = Buffer.from([9, 9, 9, 9]);
  test.each([
    { name: "a frame without a mask", bytes: serverFrame(opcodes.text, Buffer.from("a")) },
    {
      name: "a reserved bit",
      bytes: Buffer.from([0xc0 | opcodes.text, 0x80, 0, 0, 0, 0]),
    },
    {
      name: "a ping in pieces",
      bytes: maskedFrame(opcodes.ping, Buffer.from("a"), false, mask),
    },
    {
      name: "a ping of more than 125 bytes",
      bytes: maskedFrame(opcodes.ping, Buffer.alloc(126), true, mask),
    },
    {
      name: "a continuation of nothing",
      bytes: maskedFrame(opcodes.continuation, Buffer.from("a"), true, mask),
    },
    {
      name: "a new message inside another",
      bytes: Buffer.concat([
        maskedFrame(opcodes.text, Buffer.from("a"), false, mask),
        maskedFrame(opcodes.text, Buffer.from("b"), true, mask),
      ]),
    },
    {
      name: "an opcode that the protocol does not define",
      bytes: maskedFrame(3, Buffer.from("a"), true, mask),
    },
  ])("refuses $name as a protocol error", ({ bytes }) => {
    const read = (): unknown => new ClientMessageReader(1000).read(bytes);
    expect(read).toThrow(FrameError);
    expect(read).toThrow(expect.objectContaining({ closeCode: 1002 }));
  });

  test("refuses a message of endless empty frames", () => {
    const reader = new ClientMessageReader(1000);
    reader.read(maskedFrame(opcodes.text, Buffer.alloc(0), false, mask));
    const empty = maskedFrame(opcodes.continuation, Buffer.alloc(0), false, mask);
    const flood = Buffer.concat(Array.from({ length: 100_000 }, () => empty));
    expect(() => reader.read(flood)).toThrow(FrameError);
  });
});

describe("the tracker of a server's message boundaries", () => {
  function serverFramesOf({ opcode, parts }: Message): readonly Buffer[] {
    return parts.map((part, index) => {
      const frame = Buffer.from(serverFrame(index === 0 ? opcode : opcodes.continuation, part));
      if (index < parts.length - 1) frame.writeUInt8(frame.readUInt8(0) & 0x7f, 0);
      return frame;
    });
  }

  test("finds the last boundary of every chunk, however the bytes are cut", () => {
    fc.assert(
      fc.property(messageSequences, cutPlaces, (messages, cuts) => {
        const wholes = messages.map((message) => Buffer.concat(serverFramesOf(message)));
        const ends = new Set<number>();
        let total = 0;
        for (const whole of wholes) {
          total += whole.length;
          ends.add(total);
        }
        const tracker = new MessageBoundaryTracker();
        let at = 0;
        for (const chunk of chunksOf(Buffer.concat(wholes), cuts)) {
          const inside = [...ends].filter((end) => end > at && end <= at + chunk.length);
          const last = inside.at(-1);
          expect(tracker.follow(chunk)).toBe(last === undefined ? -1 : last - at);
          at += chunk.length;
          expect(tracker.atBoundary).toBe(at === 0 || ends.has(at));
        }
      }),
    );
  });

  test("knows no boundary between the frames of one message, pings inside included", () => {
    const tracker = new MessageBoundaryTracker();
    const [first, second] = serverFramesOf({
      opcode: opcodes.text,
      parts: [Buffer.from("Night"), Buffer.from("jar")],
    });
    expect(tracker.follow(first ?? Buffer.alloc(0))).toBe(-1);
    expect(tracker.follow(serverFrame(opcodes.ping, Buffer.from("?")))).toBe(-1);
    expect(tracker.atBoundary).toBe(false);
    expect(tracker.follow(second ?? Buffer.alloc(0))).toBe(second?.length);
    expect(tracker.atBoundary).toBe(true);
  });
});

describe("frames of our own", () => {
  test("say their opcode, length and mask in their header", () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const server = serverFrame(opcodes.text, payload);
        expect(readFrameHeader(server)).toMatchObject({
          final: true,
          opcode: opcodes.text,
          mask: null,
          payloadLength: payload.length,
        });
        const client = clientFrame(opcodes.binary, payload);
        const header = readFrameHeader(client);
        expect(header?.payloadLength).toBe(payload.length);
        expect(client.subarray(header?.headerLength).equals(payload)).toBe(true);
      }),
    );
  });

  test("a close frame's payload fits a control frame, its text cut where needed", () => {
    expect(closePayload(4000, "session ended").readUInt16BE(0)).toBe(4000);
    expect(closePayload(4000, "session ended").toString("utf8", 2)).toBe("session ended");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (reason) => {
        expect(closePayload(4000, reason).length).toBeLessThanOrEqual(125);
      }),
    );
  });

  test("a close frame's text is valid UTF-8 also where it was cut", () => {
    const text = closePayload(4000, "ü".repeat(100)).subarray(2);
    const decode = (): string => new TextDecoder("utf-8", { fatal: true }).decode(text);
    expect(decode).not.toThrow();
    expect(decode()).toMatch(/^ü+$/);
  });
});
