/**
 * The script that reads and writes what an origin keeps in a browser. It runs in a world of its own,
 * or in a document that is empty.
 */
import type {
  ReadAnswer,
  ReadRequest,
  SiteState,
  StoredDatabase,
  WriteAnswer,
  WriteRequest,
} from "../../profiles/site-protocol.ts";
import { readDatabase, TooLarge } from "./read-database.ts";
import { writeDatabase } from "./write-database.ts";

/** Answers all that this origin keeps, as JSON. Throws where it may keep nothing. */
export async function read({ mostDatabaseBytes }: ReadRequest): Promise<string> {
  const databases: StoredDatabase[] = [];
  const leftOut: string[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (name === undefined) continue;
    try {
      const database = await readDatabase(name, mostDatabaseBytes, (what) => leftOut.push(what));
      if (database !== null) databases.push(database);
    } catch (error) {
      leftOut.push(`the database "${name}" (${error instanceof TooLarge ? "too large" : error})`);
    }
  }
  const answer: ReadAnswer = {
    site: {
      origin: location.origin,
      localStorage: itemsOf(localStorage),
      sessionStorage: itemsOf(sessionStorage),
      databases,
    },
    leftOut,
  };
  return JSON.stringify(answer);
}

/** Makes this origin keep what it once kept. Throws where it may keep nothing. */
export async function write({ site, part }: WriteRequest): Promise<WriteAnswer> {
  if (location.origin !== site.origin) throw new Error(`this is ${location.origin}`);
  const leftOut: string[] = [];
  if (part === "session") {
    for (const [key, value] of site.sessionStorage) sessionStorage.setItem(key, value);
    return { leftOut };
  }
  for (const [key, value] of site.localStorage) localStorage.setItem(key, value);
  for (const database of site.databases) {
    try {
      await writeDatabase(database);
    } catch (error) {
      leftOut.push(`the database "${database.name}" (${error})`);
    }
  }
  return { leftOut };
}

/** By their numbers: as a property, an item called \`length\` would be hidden. */
function itemsOf(storage: Storage): SiteState["localStorage"] {
  const items: [string, string][] = [];
  for (let index = 0; index < storage.length; index += 1) {
    const key = storage.key(index);
    if (key !== null) items.push([key, storage.getItem(key) ?? ""]);
  }
  return items;
}
