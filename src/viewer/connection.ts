import type { ServerMessage, ViewerMessage } from "../live/protocol.ts";
import { linkQuery, settings } from "./settings.ts";

/** How the line to the session is. */
export type Line =
  | { readonly kind: "connecting" | "open" | "broken" }
  | { readonly kind: "ended"; readonly reason: string; readonly error: string | null }
  /** The link does not open the session: it is old, or no link. */
  | { readonly kind: "refused"; readonly expired: boolean };

export interface ConnectionListener {
  line(line: Line): void;
  message(message: ServerMessage): void;
  frame(data: ArrayBuffer): void;
}

/** How long to wait before connecting again, in ms, from try to try. */
const waits = [500, 1000, 2000, 4000, 8000] as const;

/** The line to the session: connects, and connects again where it breaks, until the session ends. */
export class Connection {
  readonly #listener: ConnectionListener;
  /** Replaced by fresh tickets while the line is open. */
  #query = linkQuery();
  #socket: WebSocket | null = null;
  #tries = 0;
  #over = false;

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
  }

  connect(): void {
    const path = `sessions/${encodeURIComponent(settings.sessionId)}/live?${this.#query}`;
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#tries = 0;
      this.#listener.line({ kind: "open" });
    });
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.#receive(JSON.parse(data) as ServerMessage);
      else this.#listener.frame(data);
    });
    socket.addEventListener("close", () => void this.#closed());
  }

  send(message: ViewerMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message: ServerMessage): void {
    if (message.type === "ticket") {
      const name = this.#query.get("name");
      this.#query = new URLSearchParams(message.query);
      if (name !== null) this.#query.set("name", name);
    } else if (message.type === "ended") {
      this.#end({ kind: "ended", reason: message.reason, error: message.error });
    } else this.#listener.message(message);
  }

  async #closed(): Promise<void> {
    if (this.#over) return;
    this.#listener.line({ kind: "broken" });
    await this.#ask();
    if (this.#over) return;
    const wait = waits[Math.min(this.#tries, waits.length - 1)];
    this.#tries += 1;
    setTimeout(() => this.connect(), wait);
  }

  /** A handshake that is refused does not say why: this does. */
  async #ask(): Promise<void> {
    try {
      const response = await fetch(new URL(`viewer/session?${this.#query}`, location.href));
      const answer = (await response.json()) as SessionState | { readonly code: string };
      if ("code" in answer) {
        const { code } = answer;
        if (code === "unauthorized" || code === "session_not_found") {
          this.#end({ kind: "refused", expired: false });
        } else if (code === "link_expired") this.#end({ kind: "refused", expired: true });
      } else if (answer.end_reason !== null) {
        this.#end({ kind: "ended", reason: answer.end_reason, error: answer.error });
      }
    } catch {
      // The server is not there: it may be again.
    }
  }

  #end(line: Line): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.line(line);
    this.#socket?.close();
  }
}

interface SessionState {
  readonly end_reason: string | null;
  readonly error: string | null;
}
