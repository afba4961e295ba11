import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
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
import { useViewer, type ViewerState } from "./use-viewer.ts";

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
          if (isMissing(error)) return null;
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
    <OpenView
      // A new ticket is a new page, so that a view that was cut off comes back.
      key={viewer.data ?? ""}
      session={session}
      url={viewer.data === undefined ? null : onThisOrigin(viewer.data)}
      isOpening={viewer.isFetching}
      onReload={() => void viewer.refetch()}
    />
  );
}

interface OpenViewProps {
  readonly session: Session;
  /** Null while its ticket is being made. */
  readonly url: string | null;
  readonly isOpening: boolean;
  readonly onReload: () => void;
}

function OpenView({ session, url, isOpening, onReload }: OpenViewProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const state = useViewer(frame);
  return (
    <>
      <Screen session={session}>
        {url !== null && (
          <iframe
            ref={frame}
            className="stage__live"
            src={`${url}&mode=embed-minimal`}
            title={`Live view of session ${shortId(session.session_id)}`}
            allow="clipboard-read; clipboard-write; fullscreen"
          />
        )}
      </Screen>
      <div className="stage__bar">
        <ViewerNews state={state} />
        <span className="stage__tools">
          <IconButton
            icon="reload"
            label="Connect the live view again"
            isBusy={isOpening}
            onClick={onReload}
          />
          {url !== null && (
            <a
              className="button button--quiet button--icon"
              href={url}
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

/** What is shown, who is in control, how many look on. */
function ViewerNews({ state }: { readonly state: ViewerState | null }) {
  const isOn = state?.line.kind === "open";
  return (
    <p className={isOn ? "live-mark live-mark--on viewer-news" : "live-mark viewer-news"}>
      <span className="live-mark__dot" aria-hidden="true" />
      <span className="viewer-news__page" title={state?.url}>
        {isOn ? state.title || state.url || "An empty tab" : "Connecting…"}
      </span>
      {isOn && <span role="status">{newsOf(state)}</span>}
    </p>
  );
}

function newsOf({ control, viewers }: ViewerState): string {
  if (control === "you") return "You are in control, which keeps it alive.";
  if (control === "other") return "Somebody else is in control.";
  return viewers > 1 ? `${viewers} are watching.` : "Watching does not keep it alive.";
}
