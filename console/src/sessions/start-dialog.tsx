import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { useApi } from "../api/use-api.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { shortId } from "../ui/format.ts";
import { type StartForm, startForm, startSession, viewports } from "./start-session.ts";

export function StartDialog({ onClose }: { readonly onClose: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  const announce = useAnnounce();
  const [, navigate] = useLocation();
  const [form, setForm] = useState<StartForm>(startForm);
  const id = useId();
  const set = (change: Partial<StartForm>) => setForm((before) => ({ ...before, ...change }));

  const start = useMutation({
    mutationFn: () => startSession(api, form),
    onSuccess: ({ session, problem }) => {
      const name = shortId(session.session_id);
      announce(
        problem === null
          ? `Session ${name} runs.`
          : `Session ${name} runs, but its page did not open: ${problem}`,
      );
      void client.invalidateQueries({ queryKey: ["sessions"] });
      onClose();
      navigate(`/sessions/${session.session_id}`);
    },
  });

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!start.isPending) start.mutate();
  }

  return (
    <Dialog title="Start a session" onClose={onClose} closesByBackdrop={false}>
      <form className="start-form" onSubmit={submit}>
        <div className="field field--wide">
          <label htmlFor={`${id}-url`}>First page</label>
          <input
            id={`${id}-url`}
            className="input"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            placeholder="https://… (an empty tab if left out)"
            value={form.url}
            onChange={(event) => set({ url: event.target.value })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-viewport`}>Viewport</label>
          <select
            id={`${id}-viewport`}
            className="input"
            value={form.viewport}
            onChange={(event) => set({ viewport: event.target.value })}
          >
            {viewports.map(({ value, name }) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-browser`}>Browser</label>
          <select
            id={`${id}-browser`}
            className="input"
            value={form.browserType}
            onChange={(event) => set({ browserType: event.target.value })}
          >
            <option value="chromium">Light (headless shell)</option>
            <option value="chrome">Full Chromium</option>
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-idle`}>Ends when idle for</label>
          <span className="unit-field">
            <input
              id={`${id}-idle`}
              className="input"
              type="number"
              min={1}
              max={30}
              required
              value={form.idleMinutes}
              onChange={(event) => set({ idleMinutes: event.target.value })}
            />
            <span>minutes</span>
          </span>
        </div>
        <div className="field">
          <label htmlFor={`${id}-max`}>Ends in any case after</label>
          <span className="unit-field">
            <input
              id={`${id}-max`}
              className="input"
              type="number"
              min={1}
              max={1440}
              required
              value={form.maxMinutes}
              onChange={(event) => set({ maxMinutes: event.target.value })}
            />
            <span>minutes</span>
          </span>
        </div>
        <label className="check field--wide">
          <input
            type="checkbox"
            checked={form.recording}
            onChange={(event) => set({ recording: event.target.checked })}
          />
          Record it: video, network and console
        </label>
        <label className="check field--wide">
          <input
            type="checkbox"
            checked={form.recording && form.recordBodies}
            disabled={!form.recording}
            onChange={(event) => set({ recordBodies: event.target.checked })}
          />
          Keep the texts that its pages are answered, too
        </label>
        <details className="more field--wide">
          <summary>More</summary>
          <div className="start-form__more">
            <div className="field">
              <label htmlFor={`${id}-agent`}>User agent</label>
              <input
                id={`${id}-agent`}
                className="input"
                autoComplete="off"
                spellCheck={false}
                placeholder="The browser's own"
                value={form.userAgent}
                onChange={(event) => set({ userAgent: event.target.value })}
              />
            </div>
            <div className="field">
              <label htmlFor={`${id}-proxy`}>Proxy</label>
              <input
                id={`${id}-proxy`}
                className="input"
                autoComplete="off"
                spellCheck={false}
                placeholder="http://user:password@host:port"
                value={form.proxy}
                onChange={(event) => set({ proxy: event.target.value })}
              />
            </div>
          </div>
        </details>
        {start.isError && (
          <p className="problem field--wide" role="alert">
            {start.error.message}
          </p>
        )}
        <footer className="dialog__foot field--wide">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isBusy={start.isPending}>
            Start
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
