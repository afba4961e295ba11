/** What the storage script is asked for and answers; plain JSON, as it is kept in profiles, too. */

/**
 * A value that a page stored: texts, booleans, null and plain numbers stand for themselves. What JSON
 * has not is `[kind, text]`, e.g. `["number", "NaN"]`; objects are `["object", index]` into the list
 * beside it, since they may occur several times, and within themselves.
 */
export type StoredValue =
  | string
  | number
  | boolean
  | null
  | readonly ["number" | "bigint" | "undefined", string]
  | readonly ["object", number];

export type StoredEntries = readonly (readonly [StoredValue, StoredValue])[];

/** Bytes are base64. */
export type StoredObject =
  | { readonly is: "object"; readonly entries: StoredEntries }
  | { readonly is: "array"; readonly length: number; readonly entries: StoredEntries }
  | { readonly is: "map"; readonly entries: StoredEntries }
  | { readonly is: "set"; readonly values: readonly StoredValue[] }
  | { readonly is: "date"; readonly time: StoredValue }
  | { readonly is: "regexp"; readonly source: string; readonly flags: string }
  | { readonly is: "boxed"; readonly value: StoredValue }
  | { readonly is: "error"; readonly name: string; readonly message: string }
  | { readonly is: "buffer"; readonly bytes: string }
  /** `type`: `Uint8Array`, `DataView`, ... */
  | {
      readonly is: "view";
      readonly type: string;
      readonly buffer: StoredValue;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly is: "blob"; readonly type: string; readonly bytes: string }
  | {
      readonly is: "file";
      readonly type: string;
      readonly name: string;
      readonly modified: number;
      readonly bytes: string;
    };

/** A record of a database. */
export interface StoredRecord {
  /** The list `[key, value]`. */
  readonly pair: StoredValue;
  readonly objects: readonly StoredObject[];
}

type KeyPath = string | readonly string[] | null;

export interface StoredIndex {
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly unique: boolean;
  readonly multiEntry: boolean;
}

export interface StoredObjectStore {
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly autoIncrement: boolean;
  readonly indexes: readonly StoredIndex[];
  readonly records: readonly StoredRecord[];
}

/** An IndexedDB database. */
export interface StoredDatabase {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly StoredObjectStore[];
}

type Items = readonly (readonly [string, string])[];

/** What an origin keeps in a browser. */
export interface SiteState {
  /** E.g. `https://example.com`. */
  readonly origin: string;
  readonly localStorage: Items;
  /** Of one tab. */
  readonly sessionStorage: Items;
  readonly databases: readonly StoredDatabase[];
}

export interface ReadRequest {
  /** Of the origin together: what would take more is left out. In characters of JSON. */
  readonly mostBytes: number;
  /** A database that would take more is left out. In characters of JSON. */
  readonly mostDatabaseBytes: number;
}

export interface ReadAnswer {
  readonly site: SiteState;
  /** The names of databases that are there and could not be read. */
  readonly unread: readonly string[];
  /** What could not be read, in words: databases, and records of them. */
  readonly leftOut: readonly string[];
}

export interface WriteRequest {
  readonly site: SiteState;
  /** `local`: what all tabs share; `session`: what is the tab's own. */
  readonly part: "local" | "session";
}

export interface WriteAnswer {
  /** What the browser did not take, in words. */
  readonly leftOut: readonly string[];
}
