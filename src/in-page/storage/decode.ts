import type {
  StoredEntries,
  StoredObject,
  StoredRecord,
  StoredValue,
} from "../../profiles/site-protocol.ts";
import { viewTypes } from "./views.ts";

/** The key and the value again that `encodeRecord` took. Throws for what it did not make. */
export function decodeRecord({ pair, objects }: StoredRecord): readonly [IDBValidKey, unknown] {
  const decoded = new Decoder(objects).decode(pair);
  if (!Array.isArray(decoded)) throw new Error("a record is no pair");
  const [key, value]: unknown[] = decoded;
  return [key as IDBValidKey, value];
}

class Decoder {
  readonly #objects: readonly StoredObject[];
  readonly #made = new Map<number, unknown>();

  constructor(objects: readonly StoredObject[]) {
    this.#objects = objects;
  }

  decode(value: StoredValue): unknown {
    if (value === null || typeof value !== "object") return value;
    switch (value[0]) {
      case "number":
        return Number(value[1]);
      case "bigint":
        return BigInt(value[1]);
      case "undefined":
        return undefined;
      case "object":
        return this.#object(value[1]);
    }
  }

  #object(index: number): unknown {
    if (this.#made.has(index)) return this.#made.get(index);
    const stored = this.#objects[index];
    if (stored === undefined) throw new Error(`there is no object ${index}`);
    const made = this.#make(stored, (container) => this.#made.set(index, container));
    this.#made.set(index, made);
    return made;
  }

  /** `known`: to be called with what others may lie in, ahead of them: they may lead back to it. */
  #make(stored: StoredObject, known: (container: unknown) => void): unknown {
    switch (stored.is) {
      case "object": {
        const made: Record<string, unknown> = {};
        known(made);
        return this.#define(made, stored.entries);
      }
      case "array": {
        const made: unknown[] = new Array(stored.length);
        known(made);
        return this.#define(made, stored.entries);
      }
      case "map": {
        const made = new Map<unknown, unknown>();
        known(made);
        for (const [key, value] of stored.entries) made.set(this.decode(key), this.decode(value));
        return made;
      }
      case "set": {
        const made = new Set<unknown>();
        known(made);
        for (const value of stored.values) made.add(this.decode(value));
        return made;
      }
      case "date":
        return new Date(Number(this.decode(stored.time)));
      case "regexp":
        return new RegExp(stored.source, stored.flags);
      case "boxed":
        return Object(this.decode(stored.value));
      case "error":
        return makeError(stored.name, stored.message);
      case "buffer":
        return bytesOf(stored.bytes).buffer;
      case "view":
        return this.#view(stored);
      case "blob":
        return new Blob([bytesOf(stored.bytes)], { type: stored.type });
      case "file":
        return new File([bytesOf(stored.bytes)], stored.name, {
          type: stored.type,
          lastModified: stored.modified,
        });
    }
  }

  #view({ type, buffer, offset, length }: Extract<StoredObject, { readonly is: "view" }>): unknown {
    const bytes = this.decode(buffer);
    const View = viewTypes.get(type);
    if (View === undefined || !(bytes instanceof ArrayBuffer)) throw new Error(`no view: ${type}`);
    return new View(bytes, offset, length);
  }

  /** Defined and not assigned: a key may be `__proto__`. */
  #define(target: object, entries: StoredEntries): object {
    for (const [key, value] of entries) {
      Object.defineProperty(target, String(key), {
        value: this.decode(value),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return target;
  }
}

const errorTypes: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function makeError(name: string, message: string): Error {
  const Type = errorTypes[name] ?? Error;
  return new Type(message);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
