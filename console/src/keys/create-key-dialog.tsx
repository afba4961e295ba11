import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";
import type { NewApiKey } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";

export function CreateKeyDialog({ onClose }: { readonly onClose: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const id = useId();
  const create = useMutation({
    mutationFn: () => api.call<NewApiKey>("/api-keys", { method: "POST", body: { name } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["api-keys"] }),
    // The key is shown once: nothing keeps it after the dialog is closed.
    gcTime: 0,
  });

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!create.isPending) create.mutate();
  }

  if (create.data !== undefined) {
    return (
      <Dialog title="Keep this key" onClose={onClose} closesByBackdrop={false}>
        <p>
          This is the only time that <strong>{create.data.name}</strong> is shown. Put it where your
          secrets are.
        </p>
        <output className="new-key">
          <code>{create.data.key}</code>
        </output>
        <footer className="dialog__foot">
          <CopyButton text={create.data.key} what="the key" label="Copy" />
          <Button kind="primary" onClick={onClose}>
            I have kept it
          </Button>
        </footer>
      </Dialog>
    );
  }
  return (
    <Dialog title="Make a key" onClose={onClose}>
      <form onSubmit={submit}>
        <div className="field">
          <label htmlFor={`${id}-name`}>What is it for?</label>
          <input
            id={`${id}-name`}
            className="input"
            required
            maxLength={100}
            autoComplete="off"
            placeholder="nightly crawl"
            value={name}
            onChange={(event) => setName(event.target.value)}
            aria-invalid={create.isError}
            aria-describedby={create.isError ? `${id}-problem` : undefined}
          />
        </div>
        {create.isError && (
          <p id={`${id}-problem`} className="problem" role="alert">
            {create.error.message}
          </p>
        )}
        <footer className="dialog__foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isBusy={create.isPending}>
            Make it
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
