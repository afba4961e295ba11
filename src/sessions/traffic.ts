/** Bytes that a session's browser sent and received over the network. */
export interface Traffic {
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export const noTraffic: Traffic = { requestBytes: 0, responseBytes: 0 };

export function addTraffic(one: Traffic, other: Traffic): Traffic {
  return {
    requestBytes: one.requestBytes + other.requestBytes,
    responseBytes: one.responseBytes + other.responseBytes,
  };
}
