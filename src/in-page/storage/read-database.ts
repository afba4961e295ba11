import type {
  StoredDatabase,
  StoredObjectStore,
  StoredRecord,
} from "../../profiles/site-protocol.ts";
import { encodeRecord, NotStorable } from "./encode.ts";
import { resultOf } from "./requests.ts";

/** How many records are held at once beside what is made of them. */
const recordsAtOnce = 200;

/** Thrown for a database that takes more than it may. */
export class TooLarge extends Error {}

/** Counts the bytes of what is read. */
class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(record: StoredRecord): void {
    this.#left -= JSON.stringify(record).length;
    if (this.#left < 0) throw new TooLarge();
  }
}

/**
 * Reads all of a database; null where there is none any more. Records that cannot be kept are told to
 * `onLeftOut`, with their number for each object store. Throws `TooLarge`.
 */
export async function readDatabase(
  name: string,
  mostBytes: number,
  onLeftOut: (what: string) => void,
): Promise<StoredDatabase | null> {
  const database = await openDatabase(name);
  if (database === null) return null;
  // Whoever wants to change it must not wait for us.
  database.onversionchange = () => database.close();
  try {
    const room = new Room(mostBytes);
    const stores: StoredObjectStore[] = [];
    for (const store of database.objectStoreNames) {
      stores.push(
        await readStore(database, store, room, (count, type) =>
          onLeftOut(`${count} of the records of "${store}" in the database "${name}" (${type})`),
        ),
      );
    }
    return { name, version: database.version, stores };
  } finally {
    database.close();
  }
}

function openDatabase(name: string): Promise<IDBDatabase | null> {
  const opening = indexedDB.open(name);
  let isGone = false;
  // The page deleted it just now: an empty one in its place would be a surprise for it.
  opening.onupgradeneeded = () => {
    isGone = true;
    opening.transaction?.abort();
  };
  return resultOf(opening).catch((error: unknown) => {
    if (isGone) return null;
    throw error;
  });
}

async function readStore(
  database: IDBDatabase,
  name: string,
  room: Room,
  onLeftOut: (count: number, type: string) => void,
): Promise<StoredObjectStore> {
  const { keyPath, autoIncrement, indexNames } = storeOf(database, name);
  const indexes = [...indexNames].map((index) => {
    const { keyPath: path, unique, multiEntry } = storeOf(database, name).index(index);
    return { name: index, keyPath: path, unique, multiEntry };
  });
  const records: StoredRecord[] = [];
  let leftOut = 0;
  let type = "";
  let range: IDBKeyRange | null = null;
  for (;;) {
    // One transaction for each lot: it would end by itself while the bytes of a blob are awaited.
    const store = storeOf(database, name);
    const [keys, values]: [IDBValidKey[], unknown[]] = await Promise.all([
      resultOf(store.getAllKeys(range, recordsAtOnce)),
      resultOf(store.getAll(range, recordsAtOnce)),
    ]);
    for (const [index, key] of keys.entries()) {
      try {
        const record = await encodeRecord(key, values[index]);
        room.take(record);
        records.push(record);
      } catch (error) {
        if (!(error instanceof NotStorable)) throw error;
        leftOut += 1;
        type = error.message;
      }
    }
    const last = keys.at(-1);
    if (last === undefined || keys.length < recordsAtOnce) break;
    range = IDBKeyRange.lowerBound(last, true);
  }
  if (leftOut > 0) onLeftOut(leftOut, type);
  return { name, keyPath, autoIncrement, indexes, records };
}

function storeOf(database: IDBDatabase, name: string): IDBObjectStore {
  return database.transaction(name, "readonly").objectStore(name);
}
