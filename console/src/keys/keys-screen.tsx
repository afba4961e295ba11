import { useCallback, useState } from "react";
import { useApiKeys } from "../api/queries.ts";
import type { ApiKey } from "../api/types.ts";
import { useTitle } from "../shell/use-title.ts";
import { Button } from "../ui/button.tsx";
import { formatShortTime, formatTime } from "../ui/format.ts";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { CreateKeyDialog } from "./create-key-dialog.tsx";
import { RevokeKeyDialog } from "./revoke-key-dialog.tsx";
import "./keys.css";

export function KeysScreen() {
  useTitle("API keys");
  const keys = useApiKeys();
  const [isCreating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const [showsRevoked, setShowsRevoked] = useState(false);
  const closeRevoke = useCallback(() => setRevoking(null), []);

  const all = keys.data?.items ?? [];
  const valid = all.filter(({ revoked_at }) => revoked_at === null);
  const revoked = all.filter(({ revoked_at }) => revoked_at !== null);
  const shown = showsRevoked ? [...valid, ...revoked] : valid;

  return (
    <div className="screen screen--narrow">
      <header className="screen__head">
        <div>
          <h1 tabIndex={-1}>API keys</h1>
          <p className="hint">
            Each opens all sessions of your tenant. The server keeps only hashes of them.
          </p>
        </div>
        <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
          Make a key
        </Button>
      </header>
      <section className="panel" aria-label="Your keys">
        {keys.isPending && <LoadingState what="keys" rows={3} />}
        {keys.isError && keys.data === undefined && (
          <ErrorState
            title="The keys could not be loaded"
            error={keys.error}
            onRetry={() => void keys.refetch()}
          />
        )}
        {keys.data !== undefined && (
          <ul className="key-list">
            {shown.map((key) => (
              <KeyRow key={key.id} apiKey={key} onRevoke={setRevoking} />
            ))}
          </ul>
        )}
      </section>
      {revoked.length > 0 && (
        <label className="check">
          <input
            type="checkbox"
            checked={showsRevoked}
            onChange={(event) => setShowsRevoked(event.target.checked)}
          />
          Show revoked keys ({revoked.length})
        </label>
      )}
      {isCreating && <CreateKeyDialog onClose={() => setCreating(false)} />}
      {revoking !== null && <RevokeKeyDialog apiKey={revoking} onClose={closeRevoke} />}
    </div>
  );
}

interface KeyRowProps {
  readonly apiKey: ApiKey;
  readonly onRevoke: (key: ApiKey) => void;
}

function KeyRow({ apiKey, onRevoke }: KeyRowProps) {
  const { name, hint, created_at, revoked_at, is_current } = apiKey;
  return (
    <li className={revoked_at === null ? "key-row" : "key-row key-row--revoked"}>
      <div className="key-row__name">
        <p>
          {name}
          {is_current && <span className="tag">you are signed in with it</span>}
          {revoked_at !== null && <span className="tag">revoked</span>}
        </p>
        <p className="key-row__facts">
          <code>{hint}</code> · made{" "}
          <time dateTime={created_at} title={formatTime(created_at)}>
            {formatShortTime(created_at)}
          </time>
          {revoked_at !== null && (
            <>
              {" "}
              · revoked{" "}
              <time dateTime={revoked_at} title={formatTime(revoked_at)}>
                {formatShortTime(revoked_at)}
              </time>
            </>
          )}
        </p>
      </div>
      {revoked_at === null && (
        <Button
          kind="quiet"
          icon="trash"
          aria-label={`Revoke ${name}`}
          onClick={() => onRevoke(apiKey)}
        >
          Revoke
        </Button>
      )}
    </li>
  );
}
