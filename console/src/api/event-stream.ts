import { type ApiClient, isMissing } from "./api-client.ts";

export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface StreamListener {
  onEvent(event: StreamEvent): void;
  /** Whether events come: while they do not, the caller had better ask by itself. */
  onConnected(connected: boolean): void;
}

const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/**
 * Follows server-sent events. `EventSource` cannot send the API key, so this reads them from a
 * fetch; it connects again, with `Last-Event-ID`, after a growing pause. Ends when `signal` aborts,
 * or when the server has no such stream.
 */
export async function followEvents(
  api: ApiClient,
  path: string,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  let lastId = "";
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const response = await api.open(path, {
        headers: {
          Accept: "text/event-stream",
          ...(lastId === "" ? {} : { "Last-Event-ID": lastId }),
        },
        signal,
      });
      // The server's way to say that nothing will come any more.
      if (response.status === 204) break;
      listener.onConnected(true);
      pauseMs = firstPauseMs;
      for await (const event of eventsOf(response)) {
        if (event.id !== "") lastId = event.id;
        listener.onEvent(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isMissing(error)) break;
    }
    if (signal.aborted) return;
    listener.onConnected(false);
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
  listener.onConnected(false);
}

async function* eventsOf(response: Response): AsyncGenerator<StreamEvent> {
  if (response.body === null) return;
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** Splits a text/event-stream into its events, however its text is cut into pieces. */
export class EventParser {
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];

  push(text: string): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    // A CR at the end of a piece may be half of a CRLF: it waits for the next piece.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        this.#takeField(line);
        continue;
      }
      if (this.#data.length > 0) {
        events.push({
          id: this.#id,
          event: this.#event === "" ? "message" : this.#event,
          data: this.#data.join("\n"),
        });
      }
      this.#event = "";
      this.#data = [];
    }
    return events;
  }

  #takeField(line: string): void {
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id") this.#id = value;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
