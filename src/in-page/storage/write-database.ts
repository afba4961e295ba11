import type { StoredDatabase, StoredObjectStore } from "../../profiles/site-protocol.ts";
import { decodeRecord } from "./decode.ts";
import { done } from "./requests.ts";

/** Makes a database with all that is in it. Throws where the browser does not take it. */
export async function writeDatabase({ name, version, stores }: StoredDatabase): Promise<void> {
  const opening = indexedDB.open(name, version);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onupgradeneeded = () => {
      for (const store of stores) makeStore(opening.result, store);
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("IndexedDB failed"));
  });
  try {
    for (const store of stores) await fill(database, store);
  } finally {
    database.close();
  }
}

function makeStore(database: IDBDatabase, store: StoredObjectStore): void {
  const { name, keyPath, autoIncrement, indexes } = store;
  const made = database.createObjectStore(name, { keyPath: pathOf(keyPath), autoIncrement });
  for (const index of indexes) {
    const { unique, multiEntry } = index;
    made.createIndex(index.name, pathOf(index.keyPath) ?? "", { unique, multiEntry });
  }
}

async function fill(database: IDBDatabase, store: StoredObjectStore): Promise<void> {
  if (store.records.length === 0) return;
  const transaction = database.transaction(store.name, "readwrite");
  const filled = done(transaction);
  const made = transaction.objectStore(store.name);
  for (const record of store.records) {
    const [key, value] = decodeRecord(record);
    // Where the key stands within the value, it must not be given once more.
    if (store.keyPath === null) made.put(value, key);
    else made.put(value);
  }
  await filled;
}

function pathOf(path: StoredObjectStore["keyPath"]): string | string[] | null {
  return path === null || typeof path === "string" ? path : [...path];
}
