import type { IncomingMessage, ServerResponse } from "node:http";
import type { Page } from "playwright-core";
import { Site } from "./site.ts";

/**
 * A site that asks for a login: who comes with its cookie, which ends with the browser and which no
 * script sees, is greeted.
 */
export function startLoginSite(address?: string): Promise<Site> {
  return Site.start(answer, address);
}

function answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
  if (url === "/worker.js") {
    response.setHeader("Content-Type", "text/javascript");
    response.end(worker);
    return;
  }
  if (url === "/login") {
    response.setHeader("Set-Cookie", ["sid=canary-cookie; HttpOnly", "seen=1; Max-Age=3600"]);
  }
  const known = headers.cookie?.includes("sid=canary-cookie") === true;
  response.setHeader("Content-Type", "text/html");
  response.end(`<!doctype html><title>Shop</title><h1>${known ? "Welcome back" : "Log in"}</h1>`);
}

/** Answers every page in the site's place, with one that changes what was kept. */
const worker = `onfetch = (event) => event.respondWith(new Response(
  "<script>localStorage.setItem('token', 'by the worker')</script>",
  { headers: { "Content-Type": "text/html" } },
));`;

/** Logs in, and leaves a token everywhere else that a browser keeps things. */
export async function logIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.evaluate(`(${keepEverywhere})(${JSON.stringify(token)})`);
}

/** What a page that is opened now has: its heading, and the token in each place; null where it is not. */
export async function whatIsKept(page: Page, url: string) {
  await page.goto(`${url}/`);
  const heading = (await page.textContent("h1")) ?? "";
  return { heading, ...((await page.evaluate(readEverywhere)) as Kept) };
}

/** Runs in the page. Keeps what JSON can say, and what it cannot. */
const keepEverywhere = `async (token) => {
  localStorage.setItem("token", token);
  localStorage.setItem("length", "an item");
  sessionStorage.setItem("token", token);
  const opening = indexedDB.open("auth", 3);
  opening.onupgradeneeded = () => {
    opening.result
      .createObjectStore("people", { keyPath: "id" })
      .createIndex("by-kind", ["kind", "id"], { unique: true });
    opening.result.createObjectStore("counted", { autoIncrement: true });
    opening.result.createObjectStore("empty");
  };
  const database = await new Promise((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  const person = {
    id: 7,
    kind: "x",
    token,
    when: new Date(5),
    set: new Set([1, NaN]),
    map: new Map([["big", 1n]]),
    bytes: new Uint8Array([1, 2, 3]).subarray(1),
    blob: new Blob(["hello"], { type: "text/plain" }),
    nothing: undefined,
    pattern: /a/gi,
    list: [1, undefined, -0],
  };
  person.self = person;
  const transaction = database.transaction(["people", "counted"], "readwrite");
  transaction.objectStore("people").put(person);
  transaction.objectStore("counted").put(token, [new Date(3), "key"]);
  transaction.objectStore("counted").put(token);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}`;

/** Runs in the page. */
const readEverywhere = `(async () => {
  const items = {
    localStorage: localStorage.getItem("token"),
    item: localStorage.getItem("length"),
    sessionStorage: sessionStorage.getItem("token"),
  };
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes("auth")) return { ...items, indexedDB: null };
  const resultOf = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await resultOf(indexedDB.open("auth"));
  const transaction = database.transaction(["people", "counted", "empty"]);
  const [person, keys, values, none] = await Promise.all([
    resultOf(transaction.objectStore("people").index("by-kind").get(["x", 7])),
    resultOf(transaction.objectStore("counted").getAllKeys()),
    resultOf(transaction.objectStore("counted").getAll()),
    resultOf(transaction.objectStore("empty").count()),
  ]);
  database.close();
  const pair = keys.find((key) => Array.isArray(key));
  return {
    ...items,
    indexedDB: {
      token: person.token,
      version: database.version,
      none,
      values,
      // Keys are numbers and lists; the date within the list is one again.
      keys: [typeof keys[0], pair[0] instanceof Date, pair[1]],
      cyclic: person.self === person,
      when: person.when.getTime(),
      set: [...person.set].map(String),
      map: typeof person.map.get("big"),
      bytes: [...person.bytes, person.bytes.buffer.byteLength],
      blob: [person.blob.type, await person.blob.text()],
      nothing: "nothing" in person && person.nothing === undefined,
      pattern: String(person.pattern),
      list: [person.list.length, Object.is(person.list[2], -0)],
    },
  };
})()`;

interface Kept {
  readonly localStorage: string | null;
  readonly item: string | null;
  readonly sessionStorage: string | null;
  readonly indexedDB: Readonly<Record<string, unknown>> | null;
}

/** The answer of `readEverywhere` where `keepEverywhere` left the token, all of it. */
export function everything(token: string) {
  return {
    heading: "Welcome back",
    localStorage: token,
    item: "an item",
    sessionStorage: token,
    indexedDB: {
      token,
      version: 3,
      none: 0,
      values: [token, token],
      keys: ["number", true, "key"],
      cyclic: true,
      when: 5,
      set: ["1", "NaN"],
      map: "bigint",
      bytes: [2, 3, 3],
      blob: ["text/plain", "hello"],
      nothing: true,
      pattern: "/a/gi",
      list: [3, true],
    },
  };
}

export const nothing = {
  heading: "Log in",
  localStorage: null,
  item: null,
  sessionStorage: null,
  indexedDB: null,
};
