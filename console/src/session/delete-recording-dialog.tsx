import { useMutation, useQueryClient } from "@tanstack/react-query";
import { sessionPath } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";

interface DeleteRecordingDialogProps {
  readonly session: Session;
  readonly onClose: () => void;
}

export function DeleteRecordingDialog({ session, onClose }: DeleteRecordingDialogProps) {
  const api = useApi();
  const client = useQueryClient();
  const announce = useAnnounce();
  const id = session.session_id;
  const remove = useMutation({
    mutationFn: () =>
      api.call<{ message: string }>(sessionPath(id, "recording"), { method: "DELETE" }),
    onSuccess: async () => {
      announce("The recording was deleted.");
      for (const kind of ["log", "replay"]) client.removeQueries({ queryKey: [kind, id] });
      await client.invalidateQueries({ queryKey: ["session", id] });
      onClose();
    },
  });
  return (
    <Dialog title="Delete the recording?" onClose={onClose}>
      <p>
        Video, network log and console log of this session go for good. Its record and its steps
        stay.
      </p>
      {remove.isError && (
        <p className="problem" role="alert">
          It could not be deleted: {remove.error.message}
        </p>
      )}
      <footer className="dialog__foot">
        <Button onClick={onClose}>Keep it</Button>
        <Button
          kind="danger"
          icon="trash"
          isBusy={remove.isPending}
          onClick={() => remove.mutate()}
        >
          Delete it
        </Button>
      </footer>
    </Dialog>
  );
}
