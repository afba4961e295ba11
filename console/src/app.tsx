import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { Redirect, Route, Router, Switch } from "wouter";
import { ApiClient } from "./api/api-client.ts";
import { shouldRetry } from "./api/queries.ts";
import { ApiContext } from "./api/use-api.ts";
import { HostScreen } from "./host/host-screen.tsx";
import { KeysScreen } from "./keys/keys-screen.tsx";
import { SessionScreen } from "./session/session-screen.tsx";
import { SessionsScreen } from "./sessions/sessions-screen.tsx";
import { NotFoundScreen } from "./shell/not-found-screen.tsx";
import { Shell } from "./shell/shell.tsx";
import { SignInScreen } from "./sign-in/sign-in-screen.tsx";
import { forgetKey, readStoredKey, storeKey } from "./sign-in/stored-key.ts";
import { Announcer } from "./ui/announcer.tsx";

export function App() {
  const [key, setKey] = useState(readStoredKey);
  const [notice, setNotice] = useState<string | null>(null);

  const leave = useCallback((why: string | null) => {
    forgetKey();
    setKey(null);
    setNotice(why);
  }, []);

  if (key === null) {
    return (
      <SignInScreen
        notice={notice}
        onSignIn={(given, remember) => {
          storeKey(given, remember);
          setKey(given);
        }}
      />
    );
  }
  return <SignedIn key={key} apiKey={key} onLeave={leave} />;
}

interface SignedInProps {
  readonly apiKey: string;
  readonly onLeave: (why: string | null) => void;
}

function SignedIn({ apiKey, onLeave }: SignedInProps) {
  const api = useMemo(
    () => new ApiClient(apiKey, () => onLeave("Your key is not valid any more. Sign in again.")),
    [apiKey, onLeave],
  );
  // One for each key: what one tenant saw is not shown to the next who signs in.
  const [queries] = useState(
    () =>
      new QueryClient({
        defaultOptions: { queries: { retry: shouldRetry, refetchOnWindowFocus: true } },
      }),
  );
  return (
    <QueryClientProvider client={queries}>
      <ApiContext value={api}>
        <Announcer>
          <Router base="/console">
            <Shell onSignOut={() => onLeave(null)}>
              <Switch>
                <Route path="/" component={SessionsScreen} />
                <Route path="/sessions/:id">{({ id }) => <SessionScreen key={id} id={id} />}</Route>
                <Route path="/sessions">
                  <Redirect to="/" replace />
                </Route>
                <Route path="/keys" component={KeysScreen} />
                <Route path="/host" component={HostScreen} />
                <Route component={NotFoundScreen} />
              </Switch>
            </Shell>
          </Router>
        </Announcer>
      </ApiContext>
    </QueryClientProvider>
  );
}
