import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Answers the addresses of a name; null for none at all, which leaves the question without an answer. */
export type Zone = (name: string, type: "A" | "AAAA") => readonly string[] | null;

const typeNumbers: ReadonlyMap<number, "A" | "AAAA"> = new Map([
  [1, "A"],
  [28, "AAAA"],
]);
const notFound = 3;

/** A DNS server on loopback (RFC 1035), as far as addresses of names go. */
export class DnsServer {
  /** The names that were asked for. */
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Where it listens, as NIGHTJAR_DNS_SERVERS has it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** `zone` answers an empty list for a name that there is not. */
  static async start(zone: Zone): Promise<DnsServer> {
    const socket = createSocket("udp4");
    const server = new DnsServer(socket);
    socket.on("message", (query, { port, address }) => {
      const { name, type, end } = readQuestion(query);
      server.asked.push(name);
      const addresses = type === undefined ? [] : zone(name, type);
      if (addresses === null) return;
      socket.send(answerTo(query, end, addresses), port, address);
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return server;
  }

  stop(): void {
    this.#socket.close();
  }
}

function readQuestion(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  // The root's empty label, then type and class.
  return {
    name: labels.join(".").toLowerCase(),
    type: typeNumbers.get(query.readUInt16BE(at + 1)),
    end: at + 5,
  };
}

/** With a time to live of 0: every question is asked anew. */
function answerTo(query: Buffer, end: number, addresses: readonly string[]): Buffer {
  const head = Buffer.from(query.subarray(0, end));
  // An answer, recursion available.
  head.writeUInt16BE(0x8180 | (addresses.length === 0 ? notFound : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const bytes = address.includes(":") ? bytesOfIPv6(address) : address.split(".").map(Number);
    const record = Buffer.alloc(12);
    // The name stands at 12.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, Buffer.from(bytes)]);
  });
  return Buffer.concat([head, ...records]);
}

function bytesOfIPv6(address: string): number[] {
  const [left = "", right = ""] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = 8 - groups(left).length - groups(right).length;
  return [...groups(left), ...Array<string>(missing).fill("0"), ...groups(right)].flatMap(
    (group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    },
  );
}
