/** WebSocket framing (RFC 6455, section 5), as far as relaying frames needs it. */

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

const knownOpcodes: ReadonlySet<number> = new Set(Object.values(opcodes));

export interface FrameHeader {
  readonly final: boolean;
  readonly opcode: number;
  /** Whether any reserved bit is set, which only a negotiated extension may do. */
  readonly reserved: boolean;
  readonly mask: Buffer | null;
  readonly headerLength: number;
  readonly payloadLength: number;
}

/** A frame or message that breaks the protocol; `closeCode` says how. */
export class FrameError extends Error {
  readonly closeCode: number;

  constructor(message: string, closeCode: number) {
    super(message);
    this.name = "FrameError";
    this.closeCode = closeCode;
  }
}

/** Reads the header at the start of `bytes`; null when it is not all there yet. */
export function readFrameHeader(bytes: Buffer): FrameHeader | null {
  if (bytes.length < 2) return null;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const masked = (second & 0x80) !== 0;
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headerLength = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < headerLength) return null;
  let payloadLength = short;
  if (lengthBytes === 2) payloadLength = bytes.readUInt16BE(2);
  if (lengthBytes === 8) payloadLength = Number(bytes.readBigUInt64BE(2));
  return {
    final: (first & 0x80) !== 0,
    reserved: (first & 0x70) !== 0,
    opcode: first & 0x0f,
    mask: masked ? bytes.subarray(2 + lengthBytes, headerLength) : null,
    headerLength,
    payloadLength,
  };
}

/** A whole frame that nobody masked, as a server sends it. */
export function serverFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([frameStart(opcode, payload.length, false), payload]);
}

/** A whole frame as a client sends it. The mask is zero: it hides nothing on loopback. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([frameStart(opcode, payload.length, true), Buffer.alloc(4), payload]);
}

/** The payload of a close frame; a reason may have 123 bytes (RFC 6455, 5.5.1). */
export function closePayload(code: number, reason: string): Buffer {
  const text = Buffer.alloc(123);
  // Writes whole characters only.
  const length = text.write(reason);
  const payload = Buffer.alloc(2 + length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2, 0, length);
  return payload;
}

export function unmask(payload: Buffer, mask: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(payload.length);
  for (let index = 0; index < payload.length; index += 1) {
    plain[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return plain;
}

function frameStart(opcode: number, length: number, masked: boolean): Buffer {
  const maskBit = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([0x80 | opcode, maskBit | length]);
  if (length < 65_536) {
    const start = Buffer.from([0x80 | opcode, maskBit | 126, 0, 0]);
    start.writeUInt16BE(length, 2);
    return start;
  }
  const start = Buffer.from([0x80 | opcode, maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  start.writeBigUInt64BE(BigInt(length), 2);
  return start;
}

/** What a client sent: a message of one or more frames, or a control frame. */
export interface ClientMessage {
  readonly opcode: number;
  /** The payload, unmasked and joined. */
  readonly payload: Buffer;
  /** The frames as they came, to be passed on untouched. */
  readonly frames: readonly Buffer[];
}

/** Cuts a client's byte stream into messages. Throws `FrameError` on what breaks the protocol. */
export class ClientMessageReader {
  readonly #maxMessageBytes: number;
  #pending: Buffer[] = [];
  #pendingLength = 0;
  #needed = 2;
  #message: { opcode: number; parts: Buffer[]; frames: Buffer[]; length: number } | null = null;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  read(chunk: Buffer): readonly ClientMessage[] {
    this.#pending.push(chunk);
    this.#pendingLength += chunk.length;
    const messages: ClientMessage[] = [];
    while (this.#pendingLength >= this.#needed) {
      const bytes = this.#joined();
      const header = readFrameHeader(bytes);
      if (header === null) {
        this.#needed = this.#pendingLength + 1;
        break;
      }
      this.#check(header);
      const frameLength = header.headerLength + header.payloadLength;
      if (bytes.length < frameLength) {
        this.#needed = frameLength;
        break;
      }
      const message = this.#take(header, bytes.subarray(0, frameLength));
      if (message !== null) messages.push(message);
      this.#pending = [bytes.subarray(frameLength)];
      this.#pendingLength = bytes.length - frameLength;
      this.#needed = 2;
    }
    return messages;
  }

  #joined(): Buffer {
    const [only] = this.#pending;
    if (this.#pending.length === 1 && only !== undefined) return only;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [bytes];
    return bytes;
  }

  #check(header: FrameHeader): void {
    if (header.mask === null) throw new FrameError("frames of a client must be masked", 1002);
    if (header.reserved) throw new FrameError("no extension was agreed on", 1002);
    if (!knownOpcodes.has(header.opcode)) throw new FrameError("unknown opcode", 1002);
    const control = header.opcode >= 8;
    if (control && (!header.final || header.payloadLength > 125)) {
      throw new FrameError("a control frame must be whole and short", 1002);
    }
    const continues = header.opcode === opcodes.continuation;
    if (!control && continues !== (this.#message !== null)) {
      throw new FrameError("frames of a message are out of order", 1002);
    }
    if ((this.#message?.length ?? 0) + header.payloadLength > this.#maxMessageBytes) {
      throw new FrameError(`a message may have at most ${this.#maxMessageBytes} bytes`, 1009);
    }
  }

  #take(header: FrameHeader, frame: Buffer): ClientMessage | null {
    const masked = frame.subarray(header.headerLength);
    const payload = header.mask === null ? masked : unmask(masked, header.mask);
    if (header.opcode >= 8) return { opcode: header.opcode, payload, frames: [frame] };
    this.#message ??= { opcode: header.opcode, parts: [], frames: [], length: 0 };
    const { opcode, parts, frames } = this.#message;
    parts.push(payload);
    frames.push(frame);
    // With its header, or endless empty frames would cost nothing.
    this.#message.length += frame.length;
    if (!header.final) return null;
    this.#message = null;
    return { opcode, payload: parts.length === 1 ? payload : Buffer.concat(parts), frames };
  }
}

/**
 * Follows a server's byte stream just far enough to know where messages end, so that a frame of
 * our own can be put between two of them.
 */
export class MessageBoundaryTracker {
  #header = Buffer.alloc(0);
  #payloadLeft = 0;
  #midMessage = false;

  /** Whether all bytes so far make whole messages. */
  get atBoundary(): boolean {
    return this.#payloadLeft === 0 && this.#header.length === 0 && !this.#midMessage;
  }

  /**
   * Takes the next bytes; answers the offset of the last message's end among them, or -1. `onStart`
   * is told of the offset of each message's payload.
   */
  follow(chunk: Buffer, onStart: (at: number) => void = () => {}): number {
    let at = 0;
    let boundary = -1;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= skipped;
        at += skipped;
      } else {
        const before = this.#header.length;
        const start = Buffer.concat([this.#header, chunk.subarray(at, at + 14 - before)]);
        const header = readFrameHeader(start);
        if (header === null) {
          this.#header = start;
          break;
        }
        this.#header = Buffer.alloc(0);
        this.#payloadLeft = header.payloadLength;
        const starts = header.opcode < 8 && !this.#midMessage;
        if (header.opcode < 8) this.#midMessage = !header.final;
        at += header.headerLength - before;
        if (starts) onStart(at);
      }
      if (this.atBoundary) boundary = at;
    }
    return boundary;
  }
}
