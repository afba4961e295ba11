import type { Duplex } from "node:stream";
import { type CdpDecision, decideCdpMessage } from "./cdp-policy.ts";
import { ClientTabs } from "./client-tabs.ts";
import { standardCloseCodes } from "./close-codes.ts";
import {
  type ClientMessage,
  ClientMessageReader,
  clientFrame,
  closePayload,
  FrameError,
  MessageBoundaryTracker,
  opcodes,
  serverFrame,
} from "./websocket-frames.ts";

/** The largest message that a client may send to its browser, e.g. a file's content, in bytes. */
const maxMessageBytes = 64 * 1024 * 1024;

/** How long a client may take to answer a close frame, in ms. */
const closeTimeoutMs = 2000;

/** How long a browser may take to finish the message that it is sending when a session ends, in ms. */
const messageEndsWithinMs = 500;

/**
 * How long to wait for the session's own end once its browser is gone, so that the client is told
 * the reason, in ms.
 */
const endNewsMs = 1500;

export interface CdpRelayOptions {
  /** The client's socket, its WebSocket handshake done. */
  readonly client: Duplex;
  /** The browser's socket, its WebSocket handshake done. */
  readonly browser: Duplex;
  /** The only directory that the browser may read and write; null where it runs elsewhere. */
  readonly directory: string | null;
  /** How often the client is asked whether it is still there, in ms; one that is silent until the next time is not. */
  readonly pingEveryMs: number;
  /** Where bytes are added up. */
  readonly traffic: { bytesToClients: number; bytesToBrowsers: number };
  /** The tab that the connection is for; null for one to the browser. */
  readonly onlyTab: string | null;
  /** Called with the target id of the tab that the client works in, each time that it does. */
  readonly onTabUsed: (targetId: string) => void;
  /** Called for each message of the client. */
  readonly onActivity: () => void;
  /** Called when the client asks for the end of the browser. */
  readonly onEndRequest: () => void;
  /** Called once when the connection is over, whoever ended it. */
  readonly onClosed: () => void;
}

/**
 * Joins a CDP client to its browser. Bytes of the browser are passed on as they come; messages of
 * the client are looked at first. A side that reads slowly slows the other side down, so nothing
 * piles up in between.
 */
export class CdpRelay {
  readonly #options: CdpRelayOptions;
  readonly #reader = new ClientMessageReader(maxMessageBytes);
  readonly #tracker = new MessageBoundaryTracker();
  readonly #tabs: ClientTabs;
  /** Frames of our own for the client, waiting for the end of a message of the browser. */
  readonly #queued: Buffer[] = [];
  /** A close that waits for the browser to finish its message. */
  #closeWanted: { readonly code: number; readonly reason: string } | null = null;
  readonly #closeSaid = Promise.withResolvers<void>();
  readonly #pulse: NodeJS.Timeout;
  /** Whether nothing came from the client since it was asked for a sign of life. */
  #isSilent = false;
  #clientSaidGoodbye = false;
  #closing = false;
  #closed = false;

  constructor(options: CdpRelayOptions) {
    this.#options = options;
    const { client, browser } = options;
    this.#tabs = new ClientTabs(options.onlyTab, options.onTabUsed);
    this.#pulse = setInterval(() => this.#beat(), options.pingEveryMs);
    this.#pulse.unref();
    client.on("data", (chunk: Buffer) => this.#fromClient(chunk));
    browser.on("data", (chunk: Buffer) => this.#fromBrowser(chunk));
    client.on("drain", () => this.#resume());
    browser.on("drain", () => this.#resume());
    client.on("close", () => this.#dispose());
    browser.on("close", () => this.#browserGone());
    client.on("end", () => this.#dispose());
    browser.on("end", () => this.#browserGone());
    // `close` follows every error.
    client.on("error", () => {});
    browser.on("error", () => {});
  }

  /**
   * Tells the client why and closes its connection; does nothing when that has begun already.
   * Resolves when the client has been told, or cannot be.
   */
  close(code: number, reason: string): Promise<void> {
    if (this.#closing || this.#closed || this.#closeWanted !== null) return this.#closeSaid.promise;
    if (this.#tracker.atBoundary) this.#sendClose(code, reason);
    else {
      // No frame can be put into the middle of a message: wait for its end, or give up.
      this.#closeWanted = { code, reason };
      setTimeout(() => {
        if (!this.#closing) this.#dispose();
      }, messageEndsWithinMs).unref();
    }
    return this.#closeSaid.promise;
  }

  #sendClose(code: number, reason: string): void {
    this.#closing = true;
    const { client, browser } = this.#options;
    browser.destroy();
    client.end(serverFrame(opcodes.close, closePayload(code, reason)));
    this.#closeSaid.resolve();
    // What the client still sends is read and dropped, or its close frame would never arrive.
    client.resume();
    setTimeout(() => this.#dispose(), closeTimeoutMs).unref();
  }

  /** Finds clients whose machine or network went away without a word. */
  #beat(): void {
    const { client } = this.#options;
    if (this.#closing || this.#closed) return;
    if (this.#isSilent) {
      this.#dispose();
      return;
    }
    // One that is slow to read would not see the question; TCP finds out whether it is gone.
    if (client.writableLength > 0 || client.isPaused()) return;
    this.#isSilent = true;
    this.#frameToClient(serverFrame(opcodes.ping, Buffer.alloc(0)));
  }

  #fromClient(chunk: Buffer): void {
    this.#isSilent = false;
    if (this.#closing || this.#closed) return;
    try {
      for (const message of this.#reader.read(chunk)) this.#clientMessage(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      void this.close(error.closeCode, error.message);
    }
  }

  #clientMessage(message: ClientMessage): void {
    // The browser asked for none: it answers a question of ours.
    if (message.opcode === opcodes.pong) return;
    if (message.opcode >= 8) {
      // The browser answers pings and close frames itself.
      if (message.opcode === opcodes.close) this.#clientSaidGoodbye = true;
      this.#toBrowser(message.frames);
      return;
    }
    this.#options.onActivity();
    const text = message.payload.toString("utf8");
    const decision: CdpDecision = decideCdpMessage(text, this.#options.directory);
    this.#tabs.fromClient(text);
    switch (decision.kind) {
      case "pass":
        this.#toBrowser(message.frames);
        break;
      case "rewrite":
        this.#toBrowser([clientFrame(opcodes.text, Buffer.from(decision.message))]);
        break;
      case "refuse":
        this.#toClient(decision.answer);
        break;
      case "end":
        this.#toClient(decision.answer);
        this.#options.onEndRequest();
        break;
    }
  }

  #toBrowser(frames: readonly Buffer[]): void {
    const { browser, client, traffic } = this.#options;
    if (browser.destroyed) return;
    let accepted = true;
    for (const frame of frames) {
      traffic.bytesToBrowsers += frame.length;
      accepted = browser.write(frame);
    }
    if (!accepted) client.pause();
  }

  /** Sends a text of our own, between two messages of the browser. */
  #toClient(text: string): void {
    this.#frameToClient(serverFrame(opcodes.text, Buffer.from(text)));
  }

  #frameToClient(frame: Buffer): void {
    const { client } = this.#options;
    if (!this.#tracker.atBoundary) {
      this.#queued.push(frame);
      client.pause();
    } else if (!client.write(frame)) {
      // Who asks without reading the answers is not read either.
      client.pause();
    }
  }

  /** Reads on where the other side has taken what it was given. */
  #resume(): void {
    const { client, browser } = this.#options;
    if (!client.writableNeedDrain) browser.resume();
    if (!browser.writableNeedDrain && !client.writableNeedDrain && this.#queued.length === 0) {
      client.resume();
    }
  }

  #fromBrowser(chunk: Buffer): void {
    if (this.#closing || this.#closed) return;
    const { client, browser, traffic } = this.#options;
    traffic.bytesToClients += chunk.length;
    const boundary = this.#tracker.follow(chunk, (at) => this.#tabs.fromBrowser(chunk, at));
    let accepted: boolean;
    if (this.#queued.length === 0 || boundary === -1) accepted = client.write(chunk);
    else {
      client.write(chunk.subarray(0, boundary));
      for (const frame of this.#queued.splice(0)) client.write(frame);
      accepted = client.write(chunk.subarray(boundary));
    }
    if (!accepted) browser.pause();
    else this.#resume();
    if (this.#closeWanted !== null && this.#tracker.atBoundary) {
      this.#sendClose(this.#closeWanted.code, this.#closeWanted.reason);
    }
  }

  #browserGone(): void {
    if (this.#closing || this.#closed) return;
    if (this.#clientSaidGoodbye || this.#closeWanted !== null) {
      this.#options.client.end();
      setTimeout(() => this.#dispose(), closeTimeoutMs).unref();
      return;
    }
    setTimeout(
      () => void this.close(standardCloseCodes.internalError, "the browser closed the connection"),
      endNewsMs,
    ).unref();
  }

  #dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pulse);
    this.#closeSaid.resolve();
    this.#options.client.destroy();
    this.#options.browser.destroy();
    this.#options.onClosed();
  }
}
