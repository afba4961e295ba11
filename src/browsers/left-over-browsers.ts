import type { Leak } from "../sessions/reconciler.ts";
import { BrowserLeaks } from "./browser-leaks.ts";
import { parseBrowserReference } from "./browser-reference.ts";
import { BrowserRegister } from "./browser-register.ts";
import { browsersWithCgroup } from "./cgroup-memory-caps.ts";
import { Egress, strictEgress } from "./egress/egress.ts";
import { BrowserUsers } from "./isolation.ts";
import { noMemoryCaps } from "./memory-cap.ts";
import { isRunning } from "./process-identity.ts";
import { Reaper } from "./reaper.ts";

export interface LeftOverBrowsersOptions {
  readonly dataDirectory: string;
  readonly browsersDirectory: string;
  readonly firstUid: number;
  /** What the store knows of the browsers of active sessions, by session. */
  readonly references: ReadonlyMap<string, string>;
}

export interface LeftOverBrowsers {
  /** The sessions whose browsers wait for the next start of the server. */
  readonly kept: ReadonlySet<string>;
  /** What belongs to none of them. */
  readonly leaks: readonly Leak[];
}

/** Looks, while no server runs, at what there is of browsers, as a server does at every look. */
export async function findLeftOverBrowsers(
  options: LeftOverBrowsersOptions,
): Promise<LeftOverBrowsers> {
  const register = new BrowserRegister();
  const kept = new Set<string>();
  for (const [sessionId, text] of options.references) {
    const reference = parseBrowserReference(text);
    if (reference === null) continue;
    if (reference.kind === "local") {
      if (!isRunning(reference)) continue;
      register.enter(reference.id, reference.uid);
    }
    kept.add(sessionId);
  }
  const users = new BrowserUsers(options.firstUid);
  const held = browsersWithCgroup(options.dataDirectory);
  const memoryCaps = { ...noMemoryCaps, held: () => held };
  const finder = new BrowserLeaks({
    browsersDirectory: options.browsersDirectory,
    register,
    users,
    memoryCaps,
    // Both live and die with a server.
    egress: new Egress(strictEgress),
    reaper: new Reaper(register, users, memoryCaps, () => {}),
  });
  return { kept, leaks: await finder.find() };
}
