import type { ReactNode } from "react";
import { ApiError, messageOf } from "../api/api-client.ts";
import { Button } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";
import "./states.css";

interface EmptyStateProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** Says that there is nothing here, why, and what to do. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="state">
      <Icon name={icon} className="state__icon" />
      <p className="state__title">{title}</p>
      {children !== undefined && <div className="state__text">{children}</div>}
      {action}
    </div>
  );
}

interface ErrorStateProps {
  /** What could not be done, e.g. "The sessions could not be loaded". */
  readonly title: string;
  readonly error: unknown;
  readonly onRetry?: () => void;
}

export function ErrorState({ title, error, onRetry }: ErrorStateProps) {
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <div className="state" role="alert">
      <Icon name="error" className="state__icon state__icon--bad" />
      <p className="state__title">{title}</p>
      <div className="state__text">
        <p>{messageOf(error)}</p>
        {requestId !== null && (
          <p>
            Request <code>{requestId}</code>
          </p>
        )}
      </div>
      {onRetry !== undefined && (
        <Button icon="reload" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Bars in the place of what is being loaded; said once to screen readers. */
export function LoadingState({ what, rows }: { readonly what: string; readonly rows: number }) {
  return (
    <div className="loading" role="status">
      <span className="hidden">Loading {what}</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars have no identity
        <span key={row} className="loading__bar" aria-hidden="true" />
      ))}
    </div>
  );
}
