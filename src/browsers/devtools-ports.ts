import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { PortTakenError } from "./browser-process.ts";

const firstPort = 29_000;
const portCount = 1000;
const attempts = 5;

/** Those of servers that are root: the firewall closes them to everyone else. */
export const rootsDevtoolsPorts = { first: 29_000, last: 29_499 } as const;

/** Those of servers that are not, and must reach them. */
const othersDevtoolsPorts = { first: 29_500, last: 29_999 } as const;

/** Whether a port may be a browser's DevTools: 29000 to 29999. */
export function isDevtoolsPort(port: number): boolean {
  return port >= firstPort && port < firstPort + portCount;
}

/** Ports that a browser is being launched on: free to the eye until it listens. */
const promised = new Set<number>();

/**
 * Calls `launch` with a port of the range that nobody listens on and that no other call has. Taken
 * at random, so that servers beside each other seldom choose the same; who loses that race throws
 * `PortTakenError`, and gets another port. Throws what `launch` throws.
 */
export async function withFreeDevtoolsPort<T>(launch: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await promiseFreePort();
    try {
      return await launch(port);
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === attempts) throw error;
    } finally {
      promised.delete(port);
    }
  }
}

async function promiseFreePort(): Promise<number> {
  const { first, last } = process.getuid?.() === 0 ? rootsDevtoolsPorts : othersDevtoolsPorts;
  const count = last - first + 1;
  const start = randomInt(count);
  for (let offset = 0; offset < count; offset += 1) {
    const port = first + ((start + offset) % count);
    if (promised.has(port)) continue;
    promised.add(port);
    if (await isFree(port)) return port;
    promised.delete(port);
  }
  throw new Error(`all ports from ${first} to ${last} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, "127.0.0.1");
    await once(probe, "listening");
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
