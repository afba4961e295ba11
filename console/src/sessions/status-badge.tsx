import type { SessionStatus } from "../api/types.ts";
import { Icon } from "../ui/icon.tsx";
import { statusNames } from "./end-words.ts";

const icons = { closed: "check", timed_out: "clock", error: "error" } as const;

export function StatusBadge({ status }: { readonly status: SessionStatus }) {
  return (
    <span className={`badge badge--${status}`}>
      {status === "active" ? (
        <span className="badge__eye" aria-hidden="true" />
      ) : (
        <Icon name={icons[status]} />
      )}
      {statusNames[status]}
    </span>
  );
}
