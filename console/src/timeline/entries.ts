import type { ConsoleMessage, NetworkRequest, RunningStep, Session, Step } from "../api/types.ts";
import { endNames } from "../sessions/end-words.ts";
import { runningTitle, stepTitle } from "./step-words.ts";

export type EntryKind = "step" | "network" | "console" | "session";

/** One thing that happened in a session, wherever it was told. */
export interface Entry {
  /** Unique in the session, and the same whenever it is fetched again. */
  readonly key: string;
  readonly kind: EntryKind;
  /** Epoch ms. */
  readonly at: number;
  readonly durationMs: number | null;
  readonly title: string;
  /** A word or number that stands beside it, e.g. an HTTP status. */
  readonly note: string | null;
  readonly isError: boolean;
  /** It is under way. */
  readonly isRunning: boolean;
  /** What was told, for the details. */
  readonly source: EntrySource;
}

export type EntrySource =
  | { readonly kind: "step"; readonly step: Step | RunningStep }
  | { readonly kind: "network"; readonly request: NetworkRequest }
  | { readonly kind: "console"; readonly message: ConsoleMessage }
  | { readonly kind: "session"; readonly session: Session; readonly isEnd: boolean };

export interface EntrySources {
  readonly session: Session;
  readonly steps: readonly Step[];
  readonly running: RunningStep | null;
  readonly requests: readonly NetworkRequest[];
  readonly messages: readonly ConsoleMessage[];
}

/** Everything that happened in a session on one time line, oldest first. */
export function toEntries(sources: EntrySources): readonly Entry[] {
  const { session, steps, running, requests, messages } = sources;
  const entries = [
    ...sessionEntries(session),
    ...steps.map(stepEntry),
    ...(running === null ? [] : [runningEntry(running)]),
    ...requests.map(requestEntry),
    ...messages.map(messageEntry).filter(({ source }) => !repeatsRequest(source)),
  ];
  // The sort is stable: what happened at the same time keeps the order above.
  return entries.sort((left, right) => left.at - right.at);
}

function sessionEntries(session: Session): readonly Entry[] {
  const start: Entry = {
    key: "start",
    kind: "session",
    at: Date.parse(session.created_at),
    durationMs: null,
    title: "Session started",
    note: null,
    isError: false,
    isRunning: false,
    source: { kind: "session", session, isEnd: false },
  };
  if (session.closed_at === null || session.end_reason === null) return [start];
  const why = endNames[session.end_reason] ?? session.end_reason;
  const end: Entry = {
    key: "end",
    kind: "session",
    at: Date.parse(session.closed_at),
    durationMs: null,
    title: `Session ended: ${why.charAt(0).toLowerCase()}${why.slice(1)}`,
    note: null,
    isError: session.status === "error",
    isRunning: false,
    source: { kind: "session", session, isEnd: true },
  };
  return [start, end];
}

function stepEntry(step: Step): Entry {
  const at = Date.parse(step.started_at);
  const isFailed = step.value["success"] === false;
  const isInterrupted = step.value["interrupted"] === true;
  return {
    key: `step-${step.position}`,
    kind: "step",
    at,
    // What a crash interrupted ended nobody knows when: it was written down by the next server.
    durationMs: isInterrupted ? null : Math.max(0, Date.parse(step.ended_at) - at),
    title: stepTitle(step),
    note: isInterrupted ? "interrupted" : isFailed ? "failed" : null,
    isError: isFailed,
    isRunning: false,
    source: { kind: "step", step },
  };
}

function runningEntry(step: RunningStep): Entry {
  return {
    key: "running",
    kind: "step",
    at: Date.parse(step.started_at),
    durationMs: null,
    title: runningTitle(step),
    note: "running",
    isError: false,
    isRunning: true,
    source: { kind: "step", step },
  };
}

function requestEntry(request: NetworkRequest): Entry {
  const isFailed = request.failure != null;
  return {
    key: `network-${request.id}`,
    kind: "network",
    at: Date.parse(request.started_at),
    durationMs: request.duration_ms,
    title: `${request.method} ${withoutOrigin(request.url)}`,
    note: isFailed ? "failed" : (request.status?.toString() ?? "…"),
    isError: isFailed || (request.status ?? 0) >= 400,
    isRunning: false,
    source: { kind: "network", request },
  };
}

function messageEntry(message: ConsoleMessage, index: number): Entry {
  const isError = message.level === "error" || message.source === "exception";
  return {
    key: `console-${index}`,
    kind: "console",
    at: Date.parse(message.at),
    durationMs: null,
    title: message.text.split("\n", 1)[0]?.slice(0, 300) || "(empty)",
    note: message.source === "exception" ? "exception" : message.level,
    isError,
    isRunning: false,
    source: { kind: "console", message },
  };
}

/** The browser complains in the console of each request that failed, which stands there itself. */
function repeatsRequest(source: EntrySource): boolean {
  return (
    source.kind === "console" &&
    source.message.source === "browser" &&
    source.message.text.startsWith("Failed to load resource")
  );
}

/** Host and path: what tells requests apart in a narrow list. */
function withoutOrigin(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^(https?|wss?):$/.test(parsed.protocol)) return url.slice(0, 200);
  return `${parsed.host}${parsed.pathname}${parsed.search}`.slice(0, 300);
}

export interface EntryFilter {
  readonly kinds: ReadonlySet<EntryKind>;
  readonly onlyErrors: boolean;
  readonly text: string;
}

export function filterEntries(entries: readonly Entry[], filter: EntryFilter): readonly Entry[] {
  const text = filter.text.trim().toLowerCase();
  return entries.filter(
    (entry) =>
      // The session's start and end frame whatever is shown, unless something is looked for.
      (entry.kind === "session" ? text === "" : filter.kinds.has(entry.kind)) &&
      (!filter.onlyErrors || entry.isError) &&
      (text === "" || entry.title.toLowerCase().includes(text)),
  );
}

/** The index of the last entry at or before `at`; -1 where all come later. */
export function lastIndexAt(entries: readonly Entry[], at: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.at ?? Number.POSITIVE_INFINITY) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
