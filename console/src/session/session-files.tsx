import { useMutation, useQuery } from "@tanstack/react-query";
import { type ApiClient, isMissing } from "../api/api-client.ts";
import { sessionPath } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
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

/** Asks with the key, which a plain link could not send, and saves what comes. */
async function saveLog(api: ApiClient, id: string, what: "har" | "console"): Promise<void> {
  const path = what === "har" ? "network/har" : "console/logs?download=true";
  const blob = await (await api.open(sessionPath(id, path))).blob();
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = `nightjar-${shortId(id)}${what === "har" ? ".har" : ".console.ndjson"}`;
  link.click();
  URL.revokeObjectURL(url);
}
