import { useEffect, useEffectEvent, useState, useSyncExternalStore } from "react";
import { followEvents, type StreamEvent } from "./event-stream.ts";
import { useApi } from "./use-api.ts";

/** Follows a stream of events while the caller is shown; tells whether they come. Null follows none. */
export function useEvents(path: string | null, onEvent: (event: StreamEvent) => void): boolean {
  const api = useApi();
  const [connected, setConnected] = useState(false);
  const handle = useEffectEvent(onEvent);
  const isVisible = usePageIsVisible();
  // A browser holds six connections to a server, for all of its tabs together: one that nobody looks
  // at gives its own back.
  const followed = isVisible ? path : null;
  useEffect(() => {
    if (followed === null) return;
    const end = new AbortController();
    const listener = { onEvent: (event: StreamEvent) => handle(event), onConnected: setConnected };
    void followEvents(api, followed, listener, end.signal);
    return () => {
      end.abort();
      setConnected(false);
    };
  }, [api, followed]);
  return connected;
}

function usePageIsVisible(): boolean {
  return useSyncExternalStore(
    (listener) => {
      document.addEventListener("visibilitychange", listener);
      return () => document.removeEventListener("visibilitychange", listener);
    },
    () => document.visibilityState === "visible",
  );
}
