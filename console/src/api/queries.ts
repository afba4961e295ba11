import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, isMissing } from "./api-client.ts";
import { extendLog, type GrowingLog, pagesAtOnce } from "./growing-log.ts";
import type {
  ApiKey,
  ConsoleMessage,
  Host,
  NetworkRequest,
  Page,
  Replay,
  RunningStep,
  Session,
  SessionStatus,
  Step,
} from "./types.ts";
import { useApi } from "./use-api.ts";

/** How often to ask where events tell what changes, and where they do not, in ms. */
const calmMs = 10_000;
const briskMs = 2000;

export interface SessionFilter {
  readonly status: SessionStatus | null;
  readonly search: string;
  /** From 1. */
  readonly page: number;
}

export const sessionsPerPage = 20;

export function useSessions(filter: SessionFilter, hasEvents: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["sessions", filter],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({
        page: String(filter.page),
        page_size: String(sessionsPerPage),
        only_active: "false",
      });
      if (filter.status !== null) query.set("status", filter.status);
      if (filter.search !== "") query.set("search", filter.search);
      return api.call<Page<Session>>(`/sessions?${query}`, { signal });
    },
    placeholderData: keepPreviousData,
    refetchInterval: hasEvents ? calmMs : briskMs,
  });
}

export function useSession(id: string, hasEvents: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["session", id],
    queryFn: ({ signal }) => api.call<Session>(sessionPath(id), { signal }),
    refetchInterval: ({ state: { data } }) => {
      if (data === undefined) return false;
      if (data.status === "active") return hasEvents ? briskMs * 2 : briskMs;
      return data.replay_status === "processing" || data.replay_status === "recording"
        ? briskMs
        : false;
    },
  });
}

/** The replay of a session whose `replay_status` is ready, or was not told; null where there is none. */
export function useReplay(session: Session) {
  const api = useApi();
  const known = session.replay_status;
  return useQuery({
    queryKey: ["replay", session.session_id, known],
    enabled: session.status !== "active" && (known === "ready" || known === undefined),
    queryFn: ({ signal }) =>
      api
        .call<Replay>(sessionPath(session.session_id, "replay"), { signal })
        .catch((error: unknown) => {
          if (isMissing(error)) return null;
          throw error;
        }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export interface StepLog {
  readonly steps: readonly Step[];
  /** Null where none is under way. */
  readonly running: RunningStep | null;
  /** The server told only the last of them. */
  readonly isCut: boolean;
}

const stepsAtOnce = 200;

interface StepsAnswer {
  readonly items: readonly Step[];
  readonly has_next: boolean;
  readonly running?: RunningStep | null;
}

/** A session's steps. Those of `session` stand in where the server has no route for them. */
export function useSteps(session: Session, hasEvents: boolean) {
  const api = useApi();
  const client = useQueryClient();
  const id = session.session_id;
  const queryKey = ["steps", id];
  const query = useQuery({
    queryKey,
    queryFn: async ({ signal }): Promise<StepLog | null> => {
      const steps = [...(client.getQueryData<StepLog | null>(queryKey)?.steps ?? [])];
      try {
        for (;;) {
          const search = new URLSearchParams({ limit: String(stepsAtOnce) });
          const last = steps.at(-1);
          if (last !== undefined) search.set("after", String(last.position));
          const path = sessionPath(id, `steps?${search}`);
          const answer = await api.call<StepsAnswer>(path, { signal });
          steps.push(...answer.items);
          if (!answer.has_next || answer.items.length === 0) {
            return { steps, running: answer.running ?? null, isCut: false };
          }
        }
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    refetchInterval: logInterval(session, hasEvents),
  });
  const log = query.data === null ? stepsInSession(session) : query.data;
  return { ...query, log };
}

function stepsInSession({ steps = [] }: Session): StepLog {
  return {
    steps: steps.map(({ type, value }, position) => ({
      position,
      type,
      value,
      started_at: String(value["started_at"]),
      ended_at: String(value["ended_at"]),
    })),
    running: null,
    isCut: steps.length >= 500,
  };
}

/** A log of a session, oldest entry first, page after page as it grows. */
function useLog<Item>(session: Session, name: string, hasEvents: boolean, pageLimit: number) {
  const api = useApi();
  const client = useQueryClient();
  const queryKey = ["log", session.session_id, name, pageLimit];
  const started = ["log", session.session_id, name, pageLimit - pagesAtOnce];
  return useQuery({
    queryKey,
    queryFn: ({ signal }) => {
      const before =
        client.getQueryData<GrowingLog<Item>>(queryKey) ??
        client.getQueryData<GrowingLog<Item>>(started);
      return extendLog<Item>(api, sessionPath(session.session_id, name), before, pageLimit, signal);
    },
    placeholderData: keepPreviousData,
    refetchInterval: logInterval(session, hasEvents),
  });
}

export function useNetworkLog(session: Session, hasEvents: boolean, pageLimit: number) {
  return useLog<NetworkRequest>(session, "network/requests", hasEvents, pageLimit);
}

export function useConsoleLog(session: Session, hasEvents: boolean, pageLimit: number) {
  return useLog<ConsoleMessage>(session, "console/logs", hasEvents, pageLimit);
}

function logInterval(session: Session, hasEvents: boolean): number | false {
  if (session.status !== "active") return false;
  return hasEvents ? briskMs * 1.5 : briskMs;
}

export function useApiKeys() {
  const api = useApi();
  return useQuery({
    queryKey: ["api-keys"],
    queryFn: ({ signal }) => api.call<{ items: ApiKey[] }>("/api-keys", { signal }),
  });
}

export function useHost() {
  const api = useApi();
  return useQuery({
    queryKey: ["host"],
    queryFn: ({ signal }) => api.call<Host>("/host", { signal }),
    refetchInterval: briskMs,
  });
}

/** The path of a session's routes; `rest` follows its id. */
export function sessionPath(id: string, rest = ""): string {
  return `/sessions/${encodeURIComponent(id)}${rest === "" ? "" : `/${rest}`}`;
}

/** A failed read is tried again only where another try may bring something else. */
export function shouldRetry(failures: number, error: unknown): boolean {
  if (failures >= 2) return false;
  return !(error instanceof ApiError) || error.status === 0 || error.status >= 502;
}
