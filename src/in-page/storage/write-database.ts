import type { StoredDatabase, StoredObjectStore } from "../../profiles/site-protocol.ts";
import { decodeRecord } from "./decode.ts";
import { resultOf } from "./requests.ts";

/**
 * Makes a database with all that is in it; answers how many records the browser did not take. Throws
 * where it takes none of it. It is there whole or not at all, also where this document goes meanwhile:
 * half of it would be taken for all of it, by the page and by the next save.
 */
export async function writeDatabase({ name, version, stores }: StoredDatabase): Promise<number> {
  const opening = indexedDB.open(name, version);
  let refused = 0;
  let failure: unknown = null;
  opening.onupgradeneeded = () => {
    try {
      for (const store of stores)
        fill(makeStore(opening.result, store), store, () => (refused += 1));
    } catch (error) {
      failure = error;
      opening.transaction?.abort();
    }
  };
  const database = await resultOf(opening).catch((error: unknown) => {
    throw failure ?? error;
  });
  database.close();
  return refused;
}

function makeStore(database: IDBDatabase, store: StoredObjectStore): IDBObjectStore {
  const { name, keyPath, autoIncrement, indexes } = store;
  const made = database.createObjectStore(name, { keyPath: pathOf(keyPath), autoIncrement });
  for (const index of indexes) {
    const { unique, multiEntry } = index;
    made.createIndex(index.name, pathOf(index.keyPath) ?? "", { unique, multiEntry });
  }
  return made;
}

function fill(made: IDBObjectStore, store: StoredObjectStore, onRefused: () => void): void {
  for (const record of store.records) {
    try {
      const [key, value] = decodeRecord(record);
      // Where the key stands within the value, it must not be given once more.
      const putting = store.keyPath === null ? made.put(value, key) : made.put(value);
      putting.onerror = (event) => {
        // The others are as good without it.
        event.preventDefault();
        event.stopPropagation();
        onRefused();
      };
    } catch {
      onRefused();
    }
  }
}

function pathOf(path: StoredObjectStore["keyPath"]): string | string[] | null {
  return path === null || typeof path === "string" ? path : [...path];
}
