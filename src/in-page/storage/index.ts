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
import { readDatabase } from "./read-database.ts";
import { Room, TooLarge } from "./room.ts";
import { writeDatabase } from "./write-database.ts";

/** What was left out is named so many times, with so many characters each: the page chose the names. */
const mostNamed = 100;
const longestName = 300;

class LeftOut {
  readonly words: string[] = [];

  add(what: string): void {
    if (this.words.length < mostNamed) this.words.push(what.slice(0, longestName));
  }
}

/** Answers all that this origin keeps, as far as there is room for it, as JSON. Throws where it may keep nothing. */
export async function read({ mostBytes, mostDatabaseBytes }: ReadRequest): Promise<string> {
  const room = new Room(mostBytes);
  const leftOut = new LeftOut();
  const local = itemsOf("localStorage", localStorage, room, leftOut);
  const session = itemsOf("sessionStorage", sessionStorage, room, leftOut);
  const databases: StoredDatabase[] = [];
  const unread: string[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (name === undefined) continue;
    const most = Math.min(mostDatabaseBytes, room.left);
    const own = new Room(most);
    try {
      const database = await readDatabase(name, own, (what) => leftOut.add(what));
      if (database === null) continue;
      room.take(most - own.left);
      databases.push(database);
    } catch (error) {
      leftOut.add(`the database "${name}" (${error instanceof TooLarge ? "too large" : error})`);
      if (unread.length < mostNamed && name.length <= longestName) unread.push(name);
    }
  }
  const answer: ReadAnswer = {
    site: { origin: location.origin, localStorage: local, sessionStorage: session, databases },
    unread,
    leftOut: leftOut.words,
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
      const refused = await writeDatabase(database);
      if (refused > 0) leftOut.push(`${refused} of the records of the database "${database.name}"`);
    } catch (error) {
      leftOut.push(`the database "${database.name}" (${error})`);
    }
  }
  return { leftOut };
}

/** By their numbers: as a property, an item called \`length\` would be hidden. */
function itemsOf(
  called: string,
  storage: Storage,
  room: Room,
  leftOut: LeftOut,
): SiteState["localStorage"] {
  const items: [string, string][] = [];
  let refused = 0;
  for (let index = 0; index < storage.length; index += 1) {
    const key = storage.key(index);
    if (key === null) continue;
    const item: [string, string] = [key, storage.getItem(key) ?? ""];
    const size = JSON.stringify(item).length;
    if (size > room.left) refused += 1;
    else {
      room.take(size);
      items.push(item);
    }
  }
  if (refused > 0) leftOut.add(`${refused} of the items in ${called} (too large)`);
  return items;
}
