import type {
  StoredEntries,
  StoredObject,
  StoredRecord,
  StoredValue,
} from "../../profiles/site-protocol.ts";
import type { Room } from "./room.ts";
import { viewTypes } from "./views.ts";

/** What a page can store and JSON cannot say, e.g. keys that may not be exported. */
export class NotStorable extends Error {}

/**
 * Turns a key and a value that the structured clone algorithm made into JSON, and takes the room for it.
 * Throws `NotStorable`, with no room taken, or `TooLarge`, before it has made much more than fits.
 */
export async function encodeRecord(
  key: IDBValidKey,
  value: unknown,
  room: Room,
): Promise<StoredRecord> {
  const encoder = new Encoder(room);
  try {
    const record = { pair: await encoder.encode([key, value]), objects: encoder.objects };
    encoder.take(Math.max(0, JSON.stringify(record).length - encoder.taken));
    return record;
  } catch (error) {
    if (error instanceof NotStorable) room.giveBack(encoder.taken);
    throw error;
  }
}

class Encoder {
  readonly objects: StoredObject[] = [];
  readonly #indexes = new Map<object, number>();
  readonly #room: Room;
  #taken = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get taken(): number {
    return this.#taken;
  }

  take(size: number): void {
    this.#room.take(size);
    this.#taken += size;
  }

  async encode(value: unknown): Promise<StoredValue> {
    // What stands between it and the next one, at least.
    this.take(1);
    switch (typeof value) {
      case "string":
        this.take(value.length);
        return value;
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : ["number", Object.is(value, -0) ? "-0" : String(value)];
      case "bigint":
        return ["bigint", String(value)];
      case "undefined":
        return ["undefined", ""];
      case "object":
        return value === null ? null : ["object", await this.#index(value)];
      default:
        throw new NotStorable(typeof value);
    }
  }

  async #index(value: object): Promise<number> {
    const known = this.#indexes.get(value);
    if (known !== undefined) return known;
    const index = this.objects.length;
    this.#indexes.set(value, index);
    // Holds the place: what is within may lead back here.
    this.objects.push({ is: "object", entries: [] });
    this.objects[index] = await this.#describe(value);
    return index;
  }

  async #describe(value: object): Promise<StoredObject> {
    if (Array.isArray(value)) {
      return {
        is: "array",
        length: value.length,
        entries: await this.#entries(Object.entries(value)),
      };
    }
    if (value instanceof Date) return { is: "date", time: await this.encode(value.getTime()) };
    if (value instanceof RegExp) return { is: "regexp", source: value.source, flags: value.flags };
    if (value instanceof Map) return { is: "map", entries: await this.#entries([...value]) };
    if (value instanceof Set) {
      const values: StoredValue[] = [];
      for (const one of value) values.push(await this.encode(one));
      return { is: "set", values };
    }
    if (value instanceof ArrayBuffer) {
      this.#takeBytes(value.byteLength);
      return { is: "buffer", bytes: base64Of(new Uint8Array(value)) };
    }
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (value instanceof Blob) this.#takeBytes(value.size);
    if (value instanceof File) {
      const { name, type, lastModified: modified } = value;
      return { is: "file", name, type, modified, bytes: await bytesOf(value) };
    }
    if (value instanceof Blob) return { is: "blob", type: value.type, bytes: await bytesOf(value) };
    if (value instanceof Error) return { is: "error", name: value.name, message: value.message };
    if (value instanceof Boolean || value instanceof Number || value instanceof String) {
      return { is: "boxed", value: await this.encode(value.valueOf()) };
    }
    // Everything else that can be stored is an interface of the browser's.
    const type = Object.prototype.toString.call(value).slice(8, -1);
    if (type !== "Object") throw new NotStorable(type);
    return { is: "object", entries: await this.#entries(Object.entries(value)) };
  }

  async #view(view: ArrayBufferView): Promise<StoredObject> {
    const type = Object.prototype.toString.call(view).slice(8, -1);
    if (!viewTypes.has(type)) throw new NotStorable(type);
    const length = "length" in view ? Number(view.length) : view.byteLength;
    const buffer = await this.encode(view.buffer);
    return { is: "view", type, buffer, offset: view.byteOffset, length };
  }

  /** Ahead of their base64, which takes a third more than they do. */
  #takeBytes(bytes: number): void {
    this.take(Math.ceil(bytes / 3) * 4);
  }

  async #entries(entries: readonly (readonly [unknown, unknown])[]): Promise<StoredEntries> {
    const encoded: [StoredValue, StoredValue][] = [];
    for (const [key, value] of entries) {
      encoded.push([await this.encode(key), await this.encode(value)]);
    }
    return encoded;
  }
}

async function bytesOf(blob: Blob): Promise<string> {
  return base64Of(new Uint8Array(await blob.arrayBuffer()));
}

/** More arguments at once would overflow the stack. */
const chunk = 0x8000;

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += chunk) {
    text += String.fromCharCode(...bytes.subarray(at, at + chunk));
  }
  return btoa(text);
}
