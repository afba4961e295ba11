import { useEffect, useEffectEvent, useState } from "react";
import { followEvents, type StreamEvent } from "./event-stream.ts";
import { useApi } from "./use-api.ts";

/** Follows a stream of events while the caller is shown; tells whether they come. Null follows none. */
export function useEvents(path: string | null, onEvent: (event: StreamEvent) => void): boolean {
  const api = useApi();
  const [connected, setConnected] = useState(false);
  const handle = useEffectEvent(onEvent);
  useEffect(() => {
    if (path === null) return;
    const end = new AbortController();
    const listener = { onEvent: (event: StreamEvent) => handle(event), onConnected: setConnected };
    void followEvents(api, path, listener, end.signal);
    return () => {
      end.abort();
      setConnected(false);
    };
  }, [api, path]);
  return connected;
}
