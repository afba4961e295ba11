import { type SubmitEvent, useEffect, useId, useRef, useState } from "react";
import { ApiClient, ApiError } from "../api/api-client.ts";
import type { Page, Session } from "../api/types.ts";
import { Mark } from "../shell/mark.tsx";
import { ThemeChoice } from "../shell/theme-choice.tsx";
import { Button } from "../ui/button.tsx";
import "./sign-in.css";

interface SignInScreenProps {
  /** Why the person is here again; null at the first visit. */
  readonly notice: string | null;
  readonly onSignIn: (key: string, remember: boolean) => void;
}

export function SignInScreen({ notice, onSignIn }: SignInScreenProps) {
  const [key, setKey] = useState("");
  const [remember, setRemember] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  useEffect(() => {
    document.title = "Sign in · Nightjar";
    input.current?.focus();
  }, []);

  async function submit(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const given = key.trim();
    setProblem(null);
    if (given === "") {
      setProblem("Paste an API key first.");
      input.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await new ApiClient(given, () => {}).call<Page<Session>>("/sessions?page_size=1");
      onSignIn(given, remember);
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
      input.current?.focus();
      input.current?.select();
    }
  }

  return (
    <main className="sign-in">
      <section className="sign-in__card" aria-labelledby={`${id}-title`}>
        <Mark className="sign-in__mark" />
        <h1 id={`${id}-title`}>Nightjar</h1>
        <p className="sign-in__lead">Watch your agents at work, and see why they stopped.</p>
        {notice !== null && (
          <p className="notice notice--warn" role="status">
            {notice}
          </p>
        )}
        <form onSubmit={(event) => void submit(event)} noValidate>
          <label htmlFor={`${id}-key`}>API key</label>
          <input
            ref={input}
            id={`${id}-key`}
            className="input input--mono"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            placeholder="nj_…"
            value={key}
            onChange={(event) => setKey(event.target.value)}
            aria-invalid={problem !== null}
            aria-describedby={problem === null ? `${id}-hint` : `${id}-problem`}
          />
          {problem === null ? (
            <p id={`${id}-hint`} className="hint">
              <code>npm start</code> printed one at its first start;{" "}
              <code>npm run nightjar -- keys create</code> makes another.
            </p>
          ) : (
            <p id={`${id}-problem`} className="problem" role="alert">
              {problem}
            </p>
          )}
          <label className="check">
            <input
              type="checkbox"
              checked={remember}
              onChange={(event) => setRemember(event.target.checked)}
            />
            Stay signed in on this device
          </label>
          <Button kind="primary" type="submit" isBusy={isBusy} className="sign-in__submit">
            Sign in
          </Button>
        </form>
      </section>
      <footer className="sign-in__foot">
        <ThemeChoice />
        <a href="/docs">API reference</a>
      </footer>
    </main>
  );
}

function problemOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something went wrong. Try again.";
  switch (error.status) {
    case 0:
      return "The server cannot be reached. Is it running?";
    case 401:
      return "This key is not valid. Check that all of it was copied, or ask for a new one.";
    default:
      return error.message;
  }
}
