import { useMemo, useState } from "react";
import { pagesAtOnce } from "../api/growing-log.ts";
import { useConsoleLog, useNetworkLog, useSteps } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { type Entry, toEntries } from "./entries.ts";

/** Everything on a session's time line, as far as it has come. */
export interface EntryLog {
  readonly entries: readonly Entry[];
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
  /** Parts that the server does not keep of this session. */
  readonly missing: readonly ("network" | "console")[];
  /** The server has more than was fetched; asks for it. */
  readonly more: (() => void) | null;
}

const nothing: readonly never[] = [];

export function useEntries(session: Session, isLive: boolean): EntryLog {
  const [pageLimit, setPageLimit] = useState(pagesAtOnce);
  const steps = useSteps(session, isLive);
  const network = useNetworkLog(session, isLive, pageLimit);
  const console = useConsoleLog(session, isLive, pageLimit);

  const requests = useMemo(() => network.data?.pages.flat() ?? nothing, [network.data]);
  const messages = useMemo(() => console.data?.pages.flat() ?? nothing, [console.data]);
  const entries = useMemo(
    () =>
      toEntries({
        session,
        steps: steps.log?.steps ?? nothing,
        // It may have been asked for before the session ended.
        running: session.status === "active" ? (steps.log?.running ?? null) : null,
        requests,
        messages,
      }),
    [session, steps.log, requests, messages],
  );
  const queries = [steps, network, console];
  const isCut = network.data?.isCut === true || console.data?.isCut === true;
  return {
    entries,
    isLoading: queries.some(({ isPending }) => isPending),
    error: queries.find(({ error }) => error !== null)?.error ?? null,
    retry: () => {
      for (const query of queries) if (query.isError) void query.refetch();
    },
    missing: [
      ...(network.data?.isMissing === true ? (["network"] as const) : []),
      ...(console.data?.isMissing === true ? (["console"] as const) : []),
    ],
    more: isCut ? () => setPageLimit((before) => before + pagesAtOnce) : null,
  };
}
