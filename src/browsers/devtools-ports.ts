import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

const firstPort = 29_000;
const portCount = 1000;

/** The DevTools ports of all browsers, as a pattern of Chromium's host rules: 29000 to 29999. */
export const devtoolsPortPattern = "29???";

export function isDevtoolsPort(port: number): boolean {
  return port >= firstPort && port < firstPort + portCount;
}

/**
 * A port of the range that nobody listens on just now. Taken at random, so that servers beside each
 * other seldom choose the same; who loses that race fails to launch and may try again.
 */
export async function freeDevtoolsPort(): Promise<number> {
  const start = randomInt(portCount);
  for (let offset = 0; offset < portCount; offset += 1) {
    const port = firstPort + ((start + offset) % portCount);
    if (await isFree(port)) return port;
  }
  throw new Error(`all ports from ${firstPort} to ${firstPort + portCount - 1} are taken`);
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
