import { useMutation, useQueryClient } from "@tanstack/react-query";
import { sessionPath } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { shortId } from "../ui/format.ts";

interface StopDialogProps {
  readonly session: Session;
  readonly onClose: () => void;
}

export function StopDialog({ session, onClose }: StopDialogProps) {
  const api = useApi();
  const client = useQueryClient();
  const announce = useAnnounce();
  const name = shortId(session.session_id);
  const stop = useMutation({
    mutationFn: () =>
      api.call<Session>(sessionPath(session.session_id, "stop"), { method: "DELETE" }),
    onSuccess: async () => {
      announce(`Session ${name} was stopped.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: ["sessions"] }),
        client.invalidateQueries({ queryKey: ["session", session.session_id] }),
      ]);
      onClose();
    },
  });
  return (
    <Dialog title={`Stop session ${name}?`} onClose={onClose}>
      <p>
        Its browser ends at once, and whoever drives it is told <code>client_stop</code>. What was
        recorded stays.
      </p>
      {stop.isError && (
        <p className="problem" role="alert">
          It could not be stopped: {stop.error.message}
        </p>
      )}
      <footer className="dialog__foot">
        <Button onClick={onClose}>Let it run</Button>
        <Button kind="danger" icon="stop" isBusy={stop.isPending} onClick={() => stop.mutate()}>
          Stop it
        </Button>
      </footer>
    </Dialog>
  );
}
