import type {
  StoredDatabase,
  StoredObjectStore,
  StoredRecord,
} from "../../profiles/site-protocol.ts";
import { encodeRecord, NotStorable } from "./encode.ts";
import { resultOf } from "./requests.ts";
import type { Room } from "./room.ts";
import { sizeOf } from "./size-of.ts";

/** How much is held at once beside what is made of it: so many records, and so many bytes and one record. */
const recordsAtOnce = 200;
const bytesAtOnce = 1024 * 1024;

/**
 * Reads all of a database; null where there is none any more. Records that cannot be kept are told to
 * `onLeftOut`, with their number for each object store. Throws `TooLarge`.
 */
export async function readDatabase(
  name: string,
  room: Room,
  onLeftOut: (what: string) => void,
): Promise<StoredDatabase | null> {
  const database = await openDatabase(name);
  if (database === null) return null;
  // Whoever wants to change it must not wait for us.
  database.onversionchange = () => database.close();
  try {
    const stores: StoredObjectStore[] = [];
    room.take(name.length);
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
  room.take(JSON.stringify({ name, keyPath, indexes }).length);
  const records: StoredRecord[] = [];
  let leftOut = 0;
  let type = "";
  let range: IDBKeyRange | null = null;
  for (;;) {
    // One transaction for each lot: it would end by itself while the bytes of a blob are awaited.
    const lot: Lot = await readLot(storeOf(database, name), range);
    for (const [key, value] of lot.records) {
      try {
        records.push(await encodeRecord(key, value, room));
      } catch (error) {
        if (!(error instanceof NotStorable)) throw error;
        leftOut += 1;
        type = error.message;
      }
    }
    const last = lot.records.at(-1);
    if (lot.isLast || last === undefined) break;
    range = IDBKeyRange.lowerBound(last[0], true);
  }
  if (leftOut > 0) onLeftOut(leftOut, type);
  return { name, keyPath, autoIncrement, indexes, records };
}

function storeOf(database: IDBDatabase, name: string): IDBObjectStore {
  return database.transaction(name, "readonly").objectStore(name);
}

interface Lot {
  readonly records: readonly (readonly [IDBValidKey, unknown])[];
  readonly isLast: boolean;
}

/** By a cursor: a request for many records would bring them all, however large they are. */
function readLot(store: IDBObjectStore, range: IDBKeyRange | null): Promise<Lot> {
  return new Promise((resolve, reject) => {
    const records: [IDBValidKey, unknown][] = [];
    let bytes = 0;
    const opening = store.openCursor(range);
    opening.onerror = () => reject(opening.error ?? new Error("IndexedDB failed"));
    opening.onsuccess = () => {
      try {
        const cursor = opening.result;
        if (cursor === null) return resolve({ records, isLast: true });
        const value: unknown = cursor.value;
        records.push([cursor.key, value]);
        bytes += sizeOf(value);
        if (records.length < recordsAtOnce && bytes < bytesAtOnce) cursor.continue();
        else resolve({ records, isLast: false });
      } catch (error) {
        reject(error);
      }
    };
  });
}
