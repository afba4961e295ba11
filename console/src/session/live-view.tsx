import { useQuery } from "@tanstack/react-query";
import { isMissing } from "../api/api-client.ts";
import { sessionPath } from "../api/queries.ts";
import type { Session, Viewer } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { IconButton } from "../ui/button.tsx";
import { shortId } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { EmptyState, ErrorState } from "../ui/states.tsx";
import { onThisOrigin } from "./same-origin.ts";
import { Screen } from "./screen.tsx";

/** The session's tabs as they are now, to watch and to operate. */
export function LiveView({ session }: { readonly session: Session }) {
  const api = useApi();
  const id = session.session_id;
  const viewer = useQuery({
    queryKey: ["viewer", id],
    // The ticket in the URL lives shortly: a new one whenever the view is opened.
    queryFn: ({ signal }) =>
      api
        .call<Viewer>(sessionPath(id, "viewer"), { method: "POST", signal })
        .then(({ viewer_url }) => viewer_url as string | null)
        .catch((error: unknown) => {
          if (isMissing(error)) return session.viewer_url;
          throw error;
        }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });

  if (viewer.isError) {
    return (
      <Screen session={session}>
        <ErrorState
          title="The live view could not be opened"
          error={viewer.error}
          onRetry={() => void viewer.refetch()}
        />
      </Screen>
    );
  }
  if (viewer.data === null) {
    return (
      <Screen session={session}>
        <EmptyState icon="eye-off" title="This server shows no live view">
          <p>Steps, network and console appear on the time line as they happen.</p>
        </EmptyState>
      </Screen>
    );
  }
  return (
    <>
      <Screen session={session}>
        {viewer.data !== undefined && (
          <iframe
            // A new ticket is a new page, so that a view that was cut off comes back.
            key={viewer.data}
            className="stage__live"
            src={`${onThisOrigin(viewer.data)}&mode=embed-minimal`}
            title={`Live view of session ${shortId(id)}`}
            allow="clipboard-read; clipboard-write; fullscreen"
          />
        )}
      </Screen>
      <div className="stage__bar">
        <span className="live-mark live-mark--on">
          <span className="live-mark__dot" aria-hidden="true" />
          Live. Watching does not keep it alive; taking control does.
        </span>
        <span className="stage__tools">
          <IconButton
            icon="reload"
            label="Connect the live view again"
            isBusy={viewer.isFetching}
            onClick={() => void viewer.refetch()}
          />
          {viewer.data !== undefined && (
            <a
              className="button button--quiet button--icon"
              href={onThisOrigin(viewer.data)}
              target="_blank"
              rel="noreferrer"
              aria-label="Open the live view in a tab of its own"
              title="Open the live view in a tab of its own"
            >
              <Icon name="expand" />
            </a>
          )}
        </span>
      </div>
    </>
  );
}
