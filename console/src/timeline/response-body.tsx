import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { isMissing, messageOf } from "../api/api-client.ts";
import { sessionPath } from "../api/queries.ts";
import type { NetworkRequest, Session } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { Button } from "../ui/button.tsx";

/** Longer ones are cut: a browser would stand still over them. In characters. */
const longestShown = 100_000;

interface ResponseBodyProps {
  readonly session: Session;
  readonly request: NetworkRequest;
}

/** The text that a request was answered, once it is asked for. */
export function ResponseBody({ session, request }: ResponseBodyProps) {
  const api = useApi();
  const [isWanted, setWanted] = useState(false);
  const body = useQuery({
    queryKey: ["body", session.session_id, request.id],
    enabled: isWanted,
    queryFn: async ({ signal }) => {
      const path = `network/requests/${encodeURIComponent(request.id)}/body`;
      const answer = await api.open(sessionPath(session.session_id, path), { signal });
      return answer.text();
    },
  });
  if (!isWanted) return <Button onClick={() => setWanted(true)}>Show the body</Button>;
  if (body.isPending) return <span role="status">Loading…</span>;
  if (body.isError) {
    return isMissing(body.error) ? "none was kept" : messageOf(body.error);
  }
  const { data } = body;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section className="response-body" aria-label="The body" tabIndex={0}>
        <pre className="facts__code">{data.slice(0, longestShown)}</pre>
      </section>
      {data.length > longestShown && "… all of it is in the HAR"}
    </>
  );
}
