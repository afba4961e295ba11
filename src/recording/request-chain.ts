import { loggedUrl } from "./masking.ts";
import type { GrowingEntry, NetworkEntry } from "./network-entry.ts";
import type { NetworkEvents } from "./network-events.ts";
import {
  entryOfRequest,
  takeEnd,
  takeReceivedHead,
  takeResponse,
  takeSentHead,
} from "./request-entry.ts";

/** The longest pause between two lines of a request that goes on, in ms. */
const longestPauseMs = 60_000;

/** One request of a chain. */
export interface Hop {
  readonly entry: GrowingEntry;
  /** By the browser's own clock, in s; null where its beginning was not seen. */
  begun: number | null;
  /** Whether the browser tells what went over the wire apart; null until it says so. */
  hasWireHeads: boolean | null;
  hasSentHead: boolean;
  hasReceivedHead: boolean;
  /** Epoch ms; null while it goes on. */
  overAt: number | null;
  /** Whether its last line is written. */
  written: boolean;
  /** Of a request that goes on: when to write it down next, epoch ms, and the pause after that. */
  tellAt: number;
  pauseMs: number;
  /** What it had moved when it was written down; null where it never was. */
  told: number | null;
}

/**
 * A request and those that its redirects made: all have the browser's one id. What went over the wire
 * is told apart and in any order with the rest, also before a request is told at all; the n-th of it
 * belongs to the n-th request.
 */
export class RequestChain {
  readonly requestId: string;
  /** The page, frame or worker that told of it first; null until one did. */
  targetId: string | null = null;
  /** Empty for what belongs to no frame. */
  frameId = "";
  /** The document that it is for; for a navigation that is its own request's id. */
  loaderId = "";
  /** Since when its page is not shown any more, epoch ms. */
  leftAt: number | null = null;
  /** Whether it brought a document that is shown now. */
  isShown = false;
  readonly createdAt = Date.now();
  readonly #hops: Hop[] = [];
  readonly #sent: NetworkEvents["requestWillBeSentExtraInfo"][] = [];
  readonly #received: NetworkEvents["responseReceivedExtraInfo"][] = [];
  /** How many requests of it there were before the first of `#hops`. */
  #earlier = 0;

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  /** A chain whose last request is known from the log of a process before this one. */
  static resumed(entry: NetworkEntry): RequestChain {
    const [requestId = entry.id, number = "0"] = entry.id.split(":");
    const chain = new RequestChain(requestId);
    chain.#earlier = Number(number);
    const hop = newHop({ ...entry }, null);
    hop.hasWireHeads = false;
    hop.told = moved(hop.entry);
    chain.#hops.push(hop);
    return chain;
  }

  /** Whether a request of it was told of. */
  get hasBegun(): boolean {
    return this.#hops.length > 0;
  }

  /** The request that goes on; null where none does. */
  get running(): Hop | null {
    const last = this.#hops.at(-1);
    return last === undefined || last.overAt !== null ? null : last;
  }

  /** By the browser's own clock, in s; null where that was not seen. */
  get begun(): number | null {
    return this.#hops[0]?.begun ?? null;
  }

  get isNavigation(): boolean {
    return this.loaderId === this.requestId;
  }

  /** A request begins, the redirect of the one before if there is one. */
  begin(event: NetworkEvents["requestWillBeSent"], targetId: string, tabId: string): void {
    const before = this.running;
    if (before !== null) {
      // Told twice.
      if (event.redirectResponse === undefined) return;
      takeResponse(before.entry, event.redirectResponse);
      before.entry.redirectUrl = loggedUrl(event.request.url);
      before.hasWireHeads = event.redirectHasExtraInfo;
      this.end(before, event.timestamp);
    }
    this.targetId ??= targetId;
    this.frameId = event.frameId ?? "";
    this.loaderId = event.loaderId;
    const number = this.#earlier + this.#hops.length;
    const id = number === 0 ? this.requestId : `${this.requestId}:${number}`;
    this.#hops.push(newHop(entryOfRequest(id, event, tabId), event.timestamp));
  }

  beginWebSocket(entry: GrowingEntry, targetId: string): void {
    this.targetId = targetId;
    this.#hops.push(newHop(entry, null));
  }

  headSent(event: NetworkEvents["requestWillBeSentExtraInfo"]): void {
    if (this.#sent.length <= mostRedirects) this.#sent.push(event);
    this.#placeHeads();
  }

  headReceived(event: NetworkEvents["responseReceivedExtraInfo"]): void {
    if (this.#received.length <= mostRedirects) this.#received.push(event);
    this.#placeHeads();
  }

  answered({ response, type, hasExtraInfo }: NetworkEvents["responseReceived"]): void {
    const hop = this.running;
    if (hop === null) return;
    takeResponse(hop.entry, response);
    hop.entry.type = type;
    // What came before this process looked will not come again.
    if (hop.begun !== null) hop.hasWireHeads = hasExtraInfo;
    this.#placeHeads();
  }

  /** Ends a request of it, by the browser's clock (in s) or where that is not known by ours. */
  end(hop: Hop, at: number | null): void {
    const now = Date.now();
    hop.overAt = now;
    const byOurs = now - hop.entry.startedAt;
    takeEnd(hop.entry, at === null || hop.begun === null ? byOurs : (at - hop.begun) * 1000);
    this.#placeHeads();
  }

  /**
   * The requests that are over and not written yet, once nothing more is to be expected of them or
   * nothing has come for `patienceMs`.
   */
  toWrite(patienceMs: number): readonly Hop[] {
    const now = Date.now();
    return this.#hops.filter(
      (hop) =>
        hop.overAt !== null && !hop.written && (!lacksHeads(hop) || now - hop.overAt >= patienceMs),
    );
  }

  /** Whether everything of it is written. */
  get isDone(): boolean {
    return this.hasBegun && this.#hops.every(({ written }) => written);
  }

  #placeHeads(): void {
    for (const [index, hop] of this.#hops.entries()) {
      if (hop.written || hop.hasWireHeads === false) continue;
      // Until that is known, they may be those of the request that it redirects to.
      if (hop.hasWireHeads === null && hop.overAt === null) continue;
      const wire = this.#wireIndex(index);
      const sent = this.#sent[wire];
      const received = this.#received[wire];
      if (sent !== undefined && !hop.hasSentHead) takeSentHead(hop.entry, sent);
      if (received !== undefined && !hop.hasReceivedHead) takeReceivedHead(hop.entry, received);
      hop.hasSentHead ||= sent !== undefined;
      hop.hasReceivedHead ||= received !== undefined;
    }
  }

  #wireIndex(index: number): number {
    return this.#hops.slice(0, index).filter(({ hasWireHeads }) => hasWireHeads !== false).length;
  }
}

function lacksHeads({ hasWireHeads, hasSentHead, hasReceivedHead }: Hop): boolean {
  return hasWireHeads === true && !(hasSentHead && hasReceivedHead);
}

/** Browsers follow 20 redirects. */
const mostRedirects = 20;

function newHop(entry: GrowingEntry, begun: number | null): Hop {
  return {
    entry,
    begun,
    hasWireHeads: null,
    hasSentHead: false,
    hasReceivedHead: false,
    overAt: null,
    written: false,
    tellAt: 0,
    pauseMs: 1000,
    told: null,
  };
}

/** Whether a request that goes on is to be written down now; if so, it counts as done. */
export function isToTell(hop: Hop, now: number): boolean {
  const state = moved(hop.entry);
  if (now < hop.tellAt || state === hop.told) return false;
  hop.told = state;
  hop.tellAt = now + hop.pauseMs;
  hop.pauseMs = Math.min(2 * hop.pauseMs, longestPauseMs);
  return true;
}

/** Grows with whatever a request moves. */
function moved({ status, requestBytes, responseBytes, contentBytes, messages }: NetworkEntry) {
  const counted = (messages?.sent ?? 0) + (messages?.received ?? 0);
  return (status === null ? 0 : 1) + requestBytes + responseBytes + contentBytes + counted;
}
