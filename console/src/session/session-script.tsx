import { useQuery } from "@tanstack/react-query";
import { sessionPath } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { Button } from "../ui/button.tsx";
import { CodeBlock } from "../ui/code-block.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { Tabs } from "../ui/tabs.tsx";

interface Workflow {
  readonly python_script: string;
  readonly javascript_script: string;
}

/** What was done through the page API, as a program that does it again. */
export function SessionScript({ session }: { readonly session: Session }) {
  const api = useApi();
  const script = useQuery({
    queryKey: ["script", session.session_id],
    queryFn: ({ signal }) =>
      api.call<Workflow>(sessionPath(session.session_id, "workflow/code?as_workflow=true"), {
        signal,
      }),
  });
  if (script.isPending) return <LoadingState what="the script" rows={4} />;
  if (script.isError) {
    return (
      <ErrorState
        title="The script could not be made"
        error={script.error}
        onRetry={() => void script.refetch()}
      />
    );
  }
  return (
    <div className="snippets">
      <p className="hint">
        The page operations that succeeded, as Playwright code. Secrets are read from the
        environment. What a client did over CDP is not in it.{" "}
        {session.status === "active" && (
          <Button kind="quiet" icon="reload" onClick={() => void script.refetch()}>
            Up to now
          </Button>
        )}
      </p>
      <Tabs
        kind="small"
        label="Language"
        tabs={[
          {
            name: "Node",
            content: <CodeBlock code={script.data.javascript_script} what="the script for Node" />,
          },
          {
            name: "Python",
            content: <CodeBlock code={script.data.python_script} what="the script for Python" />,
          },
        ]}
      />
    </div>
  );
}
