import { z } from "zod";
import { messageOf } from "../sessions/errors.ts";
import type { DataDirectory } from "../store/data-directory.ts";
import { runningServer } from "../store/running-server.ts";
import { type Check, checkOf, type ServerHealth } from "./check.ts";

/** The part of the answer of `/health` that is of use here. */
const healthAnswer = z.object({
  version: z.string(),
  active_sessions: z.number(),
  memory_cap: z.string(),
  devtools_closed: z.boolean(),
  leaks_repaired: z.number(),
});

const answerWithinMs = 10_000;

/** The server of a data directory: its health is null where it does not tell. */
export interface FoundServer {
  readonly check: Check;
  readonly health: ServerHealth | null;
}

/** Asks the server that runs on a data directory how it is; null where none runs. */
export async function findServer(directory: DataDirectory): Promise<FoundServer | null> {
  const check = checkOf("server");
  const running = runningServer(directory);
  if (running === null) return null;
  const { url } = running;
  if (url === null) {
    const message = `One is starting or stopping on ${directory.root}: ask again in a moment.`;
    return { check: check.warning(message), health: null };
  }
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(answerWithinMs) });
    const health = healthAnswer.parse(await answer.json());
    return {
      check: check.ok(`${health.version} at ${url}, ${health.active_sessions} sessions`),
      health: {
        memoryCap: health.memory_cap,
        devtoolsClosed: health.devtools_closed,
        leaksRepaired: health.leaks_repaired,
      },
    };
  } catch (error) {
    const message = `One runs on ${directory.root}, but does not answer at ${url} (${messageOf(error)}): look into its log, and restart it.`;
    return { check: check.problem(message), health: null };
  }
}
