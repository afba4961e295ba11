import { useMutation, useQuery } from "@tanstack/react-query";
import { type ApiClient, isMissing } from "../api/api-client.ts";
import { extendLog } from "../api/growing-log.ts";
import { sessionPath } from "../api/queries.ts";
import type { ConsoleMessage, Session } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { formatBytes, shortId } from "../ui/format.ts";
import { onThisOrigin } from "./same-origin.ts";

interface StoredFile {
  readonly name: string;
  readonly size: number;
}

/** What can be taken from a session: its logs as files, and what its pages downloaded. */
export function SessionFiles({ session }: { readonly session: Session }) {
  const api = useApi();
  const announce = useAnnounce();
  const id = session.session_id;
  const files = useQuery({
    queryKey: ["downloads", id],
    queryFn: ({ signal }) =>
      api.call<{ files: StoredFile[] }>(`/storage/${encodeURIComponent(id)}/downloads`, { signal }),
    refetchInterval: session.status === "active" ? 5000 : false,
  });
  const save = useMutation({
    mutationFn: (what: "har" | "console") => saveLog(api, id, what),
    onError: (error) =>
      announce(
        isMissing(error) ? "No such log was kept of this session." : `Not saved: ${error.message}`,
      ),
  });
  const open = useMutation({
    mutationFn: async (name: string) => {
      const path = `/storage/${encodeURIComponent(id)}/downloads/${encodeURIComponent(name)}`;
      const { url } = await api.call<{ url: string }>(path);
      location.assign(onThisOrigin(url));
    },
    onError: (error) => announce(`Not downloaded: ${error.message}`),
  });

  return (
    <div className="session-files">
      <h2>Files</h2>
      <p className="session-files__logs">
        <Button
          icon="download"
          isBusy={save.isPending && save.variables === "har"}
          onClick={() => save.mutate("har")}
        >
          Network log (HAR)
        </Button>
        <Button
          icon="download"
          isBusy={save.isPending && save.variables === "console"}
          onClick={() => save.mutate("console")}
        >
          Console log
        </Button>
      </p>
      {files.data !== undefined && files.data.files.length > 0 && (
        <ul className="session-files__list">
          {files.data.files.map(({ name, size }) => (
            <li key={name}>
              <Button kind="quiet" icon="download" onClick={() => open.mutate(name)}>
                {name} <span className="session-files__size">{formatBytes(size)}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
      {files.data?.files.length === 0 && <p className="hint">Its pages downloaded nothing.</p>}
    </div>
  );
}

async function saveLog(api: ApiClient, id: string, what: "har" | "console"): Promise<void> {
  const blob = what === "har" ? await harOf(api, id) : await consoleOf(api, id);
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = `nightjar-${shortId(id)}${what === "har" ? ".har" : "-console.ndjson"}`;
  link.click();
  URL.revokeObjectURL(url);
}

async function harOf(api: ApiClient, id: string): Promise<Blob> {
  const response = await api.open(sessionPath(id, "network/har"));
  return response.blob();
}

/** The whole console log, one JSON object a line. */
async function consoleOf(api: ApiClient, id: string): Promise<Blob> {
  const { pages, isMissing: none } = await extendLog<ConsoleMessage>(
    api,
    sessionPath(id, "console/logs"),
    undefined,
    Number.POSITIVE_INFINITY,
    new AbortController().signal,
  );
  if (none) throw new Error("no console log was kept of this session.");
  const lines = pages.flat().map((message) => `${JSON.stringify(message)}\n`);
  return new Blob(lines, { type: "application/x-ndjson" });
}
