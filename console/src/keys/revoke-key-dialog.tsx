import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ApiKey } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";

interface RevokeKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
}

export function RevokeKeyDialog({ apiKey, onClose }: RevokeKeyDialogProps) {
  const api = useApi();
  const client = useQueryClient();
  const announce = useAnnounce();
  const revoke = useMutation({
    mutationFn: () => api.call(`/api-keys/${encodeURIComponent(apiKey.id)}`, { method: "DELETE" }),
    onSuccess: async () => {
      announce(`${apiKey.name} is not valid any more.`);
      await client.invalidateQueries({ queryKey: ["api-keys"] });
      onClose();
    },
  });
  return (
    <Dialog title={`Revoke ${apiKey.name}?`} onClose={onClose}>
      <p>
        Whoever uses it is refused from now on. Sessions that it started go on.
        {apiKey.is_current && " You are signed in with it, so you will have to sign in again."}
      </p>
      {revoke.isError && (
        <p className="problem" role="alert">
          It could not be revoked: {revoke.error.message}
        </p>
      )}
      <footer className="dialog__foot">
        <Button onClick={onClose}>Keep it</Button>
        <Button
          kind="danger"
          icon="trash"
          isBusy={revoke.isPending}
          onClick={() => revoke.mutate()}
        >
          Revoke it
        </Button>
      </footer>
    </Dialog>
  );
}
