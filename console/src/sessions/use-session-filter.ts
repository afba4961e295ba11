import { useCallback } from "react";
import { useSearchParams } from "wouter";
import type { SessionFilter } from "../api/queries.ts";
import type { SessionStatus } from "../api/types.ts";
import { statusNames } from "./end-words.ts";

/** The list's filter, kept in the address: it survives a reload and can be shared. */
export function useSessionFilter(): [SessionFilter, (filter: SessionFilter) => void] {
  const [params, setParams] = useSearchParams();
  const status = params.get("status") ?? "";
  const filter: SessionFilter = {
    status: status in statusNames ? (status as SessionStatus) : null,
    search: params.get("search") ?? "",
    page: Math.max(1, Number.parseInt(params.get("page") ?? "1", 10) || 1),
  };
  const setFilter = useCallback(
    ({ status, search, page }: SessionFilter) => {
      setParams({
        ...(status === null ? {} : { status }),
        ...(search === "" ? {} : { search }),
        ...(page === 1 ? {} : { page: String(page) }),
      });
    },
    [setParams],
  );
  return [filter, setFilter];
}
