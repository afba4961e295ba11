import type { Config } from "../config.ts";
import { messageOf } from "../sessions/errors.ts";
import type { DataDirectory } from "../store/data-directory.ts";
import { type Check, checkOf } from "./check.ts";
import { compare, type LeftOver } from "./left-over.ts";
import { type FoundServer, findServer } from "./server.ts";

const check = checkOf("leaks");

/** How many of a kind are named in a line for people. */
const mostNamed = 5;

export interface FoundLeaks {
  readonly check: Check;
  /** What the last server left; empty while one runs. */
  readonly leftOver: readonly LeftOver[];
}

/**
 * What is left over of browsers and sessions. A server compares by itself, and alone knows what it is
 * launching and ending, so where one runs it is asked.
 */
export async function checkLeaks(
  directory: DataDirectory,
  { firstUid }: Config,
  server: FoundServer | null,
): Promise<FoundLeaks> {
  if (server !== null) return { check: checkRepaired(server), leftOver: [] };
  try {
    const { keptSessions, leftOver } = await compare(directory, firstUid);
    // What was found may belong to a server that was started meanwhile.
    const started = await findServer(directory);
    if (started !== null) return { check: checkRepaired(started), leftOver: [] };
    const kept = keptSessions === 0 ? "" : `; ${keptSessions} sessions wait for the next start`;
    return {
      check:
        leftOver.length === 0
          ? check.ok(`nothing is left over${kept}`)
          : check.warning(
              `The last server left ${inWords(leftOver)}${kept}. Start the server: it ends and removes them.`,
            ),
      leftOver,
    };
  } catch (error) {
    const message = `The store cannot be read, so nothing was compared: ${messageOf(error)}. Start the server once with this version, or restore the store from a backup.`;
    return { check: check.problem(message), leftOver: [] };
  }
}

function checkRepaired({ health }: FoundServer): Check {
  if (health === null) {
    return check.warning("The server on this data directory did not tell: see above.");
  }
  if (health.leaksRepaired === 0) {
    return check.ok("the server compares every few seconds, and had nothing to repair");
  }
  return check.warning(
    `The server had to repair ${health.leaksRepaired} since its start. Somebody took or put something behind its back, or it is a bug: its log says what ("repaired a leak"); please report it.`,
  );
}

/** E.g. `2 process (0123456789ab, ba9876543210), 1 row (...)`. */
function inWords(leftOver: readonly LeftOver[]): string {
  const byKind = Object.entries(Object.groupBy(leftOver, ({ kind }) => kind));
  return byKind
    .map(([kind, some = []]) => {
      const names = some.slice(0, mostNamed).map(({ name }) => name);
      const more = some.length > mostNamed ? ["..."] : [];
      return `${some.length} ${kind} (${[...names, ...more].join(", ")})`;
    })
    .join(", ");
}
