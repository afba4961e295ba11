import { maskHeaders } from "./masking.ts";
import type { GrowingEntry } from "./network-entry.ts";
import type { NetworkEvents } from "./network-events.ts";
import type { RequestChain } from "./request-chain.ts";
import { entryOfWebSocket, headBytes } from "./request-entry.ts";

/** How the entry of a WebSocket follows from its events: its handshake, and messages by number and size. */
export const followWebSocket = {
  created(
    chain: RequestChain,
    event: NetworkEvents["webSocketCreated"],
    target: { readonly targetId: string; readonly tabId: string },
  ): void {
    if (!chain.hasBegun) {
      chain.beginWebSocket(entryOfWebSocket(event, target.tabId), target.targetId);
    }
  },

  handshakeSent(
    { running }: RequestChain,
    event: NetworkEvents["webSocketWillSendHandshakeRequest"],
  ): void {
    if (running === null) return;
    const { headers } = event.request;
    running.begun = event.timestamp;
    running.entry.startedAt = Math.round(event.wallTime * 1000);
    running.entry.requestHeaders = maskHeaders(headers);
    running.entry.requestBytes = headBytes("GET", running.entry.url, headers);
  },

  handshakeReceived(
    { running }: RequestChain,
    { response }: NetworkEvents["webSocketHandshakeResponseReceived"],
  ): void {
    if (running === null) return;
    running.entry.status = response.status;
    running.entry.statusText = response.statusText;
    running.entry.responseHeaders = maskHeaders(response.headers);
  },

  messageSent({ running }: RequestChain, { response }: NetworkEvents["webSocketFrameSent"]): void {
    if (running === null) return;
    running.entry.requestBytes += bytesOf(response);
    count(running.entry, "sent");
  },

  messageReceived(
    { running }: RequestChain,
    { response }: NetworkEvents["webSocketFrameReceived"],
  ): void {
    if (running === null) return;
    running.entry.responseBytes += bytesOf(response);
    count(running.entry, "received");
  },

  failed({ running }: RequestChain, event: NetworkEvents["webSocketFrameError"]): void {
    if (running !== null) running.entry.failure = event.errorMessage;
  },

  closed(chain: RequestChain, { timestamp }: NetworkEvents["webSocketClosed"]): void {
    if (chain.running !== null) chain.end(chain.running, timestamp);
  },
} as const;

/** The size of a message, about: text by its characters, binary messages come as base64. */
function bytesOf({ opcode, payloadData }: NetworkEvents["webSocketFrameSent"]["response"]): number {
  return opcode === 1 ? payloadData.length : Math.floor((payloadData.length * 3) / 4);
}

function count(entry: GrowingEntry, which: "sent" | "received"): void {
  const { sent, received } = entry.messages ?? { sent: 0, received: 0 };
  entry.messages =
    which === "sent" ? { sent: sent + 1, received } : { sent, received: received + 1 };
}
