import type { Protocol } from "devtools-protocol";

/** The events of CDP's Network domain that the log is made of, without the domain's name. */
export interface NetworkEvents {
  readonly requestWillBeSent: Protocol.Network.RequestWillBeSentEvent;
  readonly requestWillBeSentExtraInfo: Protocol.Network.RequestWillBeSentExtraInfoEvent;
  readonly requestServedFromCache: Protocol.Network.RequestServedFromCacheEvent;
  readonly responseReceived: Protocol.Network.ResponseReceivedEvent;
  readonly responseReceivedExtraInfo: Protocol.Network.ResponseReceivedExtraInfoEvent;
  readonly dataReceived: Protocol.Network.DataReceivedEvent;
  readonly loadingFinished: Protocol.Network.LoadingFinishedEvent;
  readonly loadingFailed: Protocol.Network.LoadingFailedEvent;
  readonly webSocketCreated: Protocol.Network.WebSocketCreatedEvent;
  readonly webSocketWillSendHandshakeRequest: Protocol.Network.WebSocketWillSendHandshakeRequestEvent;
  readonly webSocketHandshakeResponseReceived: Protocol.Network.WebSocketHandshakeResponseReceivedEvent;
  readonly webSocketFrameSent: Protocol.Network.WebSocketFrameSentEvent;
  readonly webSocketFrameReceived: Protocol.Network.WebSocketFrameReceivedEvent;
  readonly webSocketFrameError: Protocol.Network.WebSocketFrameErrorEvent;
  readonly webSocketClosed: Protocol.Network.WebSocketClosedEvent;
}
