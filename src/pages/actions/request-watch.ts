import type { DriverConnection } from "../driver/driver-connection.ts";

/** What a page waits for before it shows what an action brought; pictures and the like may come later. */
const awaitedTypes: ReadonlySet<string> = new Set([
  "Document",
  "Script",
  "XHR",
  "Fetch",
  "Stylesheet",
]);

interface OpenRequest {
  readonly sessionId: string;
  readonly type: string;
  readonly frameId: string | undefined;
  /** The document that asked for it. */
  readonly loaderId: string;
}

/** The requests of a session's pages that have begun since one moment and go on. */
export class RequestWatch {
  readonly #open = new Map<string, OpenRequest>();
  readonly #stops: (() => void)[];

  /** `onChange` is called when one begins or ends. */
  constructor(connection: DriverConnection, onChange: () => void) {
    const end = (requestId: string, sessionId: string): void => {
      if (this.#open.delete(`${sessionId}:${requestId}`)) onChange();
    };
    this.#stops = [
      connection.on(
        "Network.requestWillBeSent",
        ({ requestId, type = "Other", frameId, loaderId }, sessionId) => {
          this.#open.set(`${sessionId}:${requestId}`, { sessionId, type, frameId, loaderId });
          onChange();
        },
      ),
      connection.on("Network.loadingFinished", ({ requestId }, sessionId) => {
        end(requestId, sessionId);
      }),
      connection.on("Network.loadingFailed", ({ requestId }, sessionId) => {
        end(requestId, sessionId);
      }),
      // An answer that goes on for ever, as event streams do, has brought what it is going to bring.
      connection.on("Network.responseReceived", ({ requestId, response }, sessionId) => {
        if (response.mimeType === "text/event-stream") end(requestId, sessionId);
      }),
      // What a document was waiting for when it went away does not always end with an event.
      connection.on("Page.frameNavigated", ({ frame }) => {
        this.#drop(({ frameId, loaderId }) => frameId === frame.id && loaderId !== frame.loaderId);
      }),
      connection.on("Page.frameDetached", ({ frameId }) => {
        this.#drop((request) => request.frameId === frameId);
      }),
      connection.on("Target.detachedFromTarget", ({ sessionId }) => {
        this.#drop((request) => request.sessionId === sessionId);
      }),
    ];
  }

  /** Whether one that pages wait for is on its way in one of these CDP sessions. */
  isFetching(sessionIds: ReadonlySet<string>): boolean {
    return [...this.#open.values()].some(
      ({ type, sessionId }) => awaitedTypes.has(type) && sessionIds.has(sessionId),
    );
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #drop(isGone: (request: OpenRequest) => boolean): void {
    for (const [key, request] of this.#open) {
      if (isGone(request)) this.#open.delete(key);
    }
  }
}
