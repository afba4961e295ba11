import { type ApiClient, isMissing } from "./api-client.ts";
import type { Page } from "./types.ts";

/** A log of the server's as far as it has been fetched, oldest entry first. */
export interface GrowingLog<Item> {
  readonly pages: readonly (readonly Item[])[];
  /** There is more than the console fetches by itself. */
  readonly isCut: boolean;
  /** The server keeps no such log of the session. */
  readonly isMissing: boolean;
  /** How many entries the server has, where it says. */
  readonly total: number | null;
}

const pageSize = 500;
/** How many pages are fetched by themselves; `more` asks for the next so many. */
export const pagesAtOnce = 10;

/** Pages that are fetched again: their last entries may have changed, or been only half there. */
const unsettledPages = 2;

/**
 * Fetches what came to a log since `before`, and its newest pages again. `pageLimit` bounds how far.
 */
export async function extendLog<Item>(
  api: ApiClient,
  path: string,
  before: GrowingLog<Item> | undefined,
  pageLimit: number,
  signal: AbortSignal,
): Promise<GrowingLog<Item>> {
  const pages = [...(before?.pages ?? [])].slice(0, -unsettledPages);
  let total: number | null = null;
  try {
    for (;;) {
      const query = new URLSearchParams({
        page: String(pages.length + 1),
        page_size: String(pageSize),
      });
      const answer = await api.call<Page<Item>>(`${path}?${query}`, { signal });
      total = answer.total ?? null;
      pages.push(answer.items);
      if (!answer.has_next) return { pages, isCut: false, isMissing: false, total };
      if (pages.length >= pageLimit) return { pages, isCut: true, isMissing: false, total };
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { pages: [], isCut: false, isMissing: true, total: null };
  }
}
