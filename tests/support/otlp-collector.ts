import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as it came over the wire. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly name: string;
  /** 1 internal, 2 server. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** Takes traces as OTLP over HTTP, in protobuf (opentelemetry.io/docs/specs/otlp). */
export class OtlpCollector {
  readonly spans: CollectedSpan[] = [];
  /** Every request's path and headers, and all bytes of all bodies. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  readonly bodies: Buffer[] = [];
  /** What the next requests are answered. */
  status = 200;
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.requests.push({ path: request.url ?? "", headers: request.headers });
    this.bodies.push(body);
    if (this.status === 200) this.spans.push(...spansOf(body));
    response.writeHead(this.status, { "Content-Type": "application/x-protobuf" }).end();
  });

  static async start(): Promise<OtlpCollector> {
    const collector = new OtlpCollector();
    collector.#server.listen(0, "127.0.0.1");
    await once(collector.#server, "listening");
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

type Field = Buffer | bigint;
type Message = ReadonlyMap<number, readonly Field[]>;

/** The fields of a protobuf message, by number (protobuf.dev/programming-guides/encoding). */
function fieldsOf(bytes: Buffer): Message {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value = wire === 0 ? varint() : take(wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4);
    const number = tag >> 3;
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const all = (message: Message, number: number): readonly Buffer[] =>
  (message.get(number) ?? []).filter((field) => Buffer.isBuffer(field));
const one = (message: Message, number: number): Buffer =>
  all(message, number)[0] ?? Buffer.alloc(0);

function attributesOf(pairs: readonly Buffer[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      const value = fieldsOf(one(fields, 2));
      const [bool] = value.get(2) ?? [];
      const [int] = value.get(3) ?? [];
      const plain =
        bool !== undefined ? bool === 1n : int !== undefined ? Number(int) : String(one(value, 1));
      return [String(one(fields, 1)), plain];
    }),
  );
}

function spansOf(body: Buffer): CollectedSpan[] {
  return all(fieldsOf(body), 1).flatMap((bytes) => {
    const ofResource = fieldsOf(bytes);
    const resource = attributesOf(all(fieldsOf(one(ofResource, 1)), 1));
    return all(ofResource, 2)
      .flatMap((scope) => all(fieldsOf(scope), 2))
      .map((span) => {
        const fields = fieldsOf(span);
        return {
          traceId: one(fields, 1).toString("hex"),
          spanId: one(fields, 2).toString("hex"),
          parentId: one(fields, 4).toString("hex"),
          name: String(one(fields, 5)),
          kind: Number(fields.get(6)?.[0] ?? 0),
          attributes: attributesOf(all(fields, 9)),
          status: Number(fieldsOf(one(fields, 15)).get(3)?.[0] ?? 0),
          resource,
        };
      });
  });
}
