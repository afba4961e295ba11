import { randomInt } from "node:crypto";
import { isDevtoolsPort } from "../devtools-ports.ts";

/**
 * The ports of browsers' proxies, on loopback. Below those that systems give to connections by
 * themselves, so that a proxy finds its port free again after a restart of the server.
 */
const firstPort = 28_000;
const portCount = 1000;

/** Whether a port of this machine may be a browser's DevTools or a browser's way out. */
export function isBrowserPort(port: number): boolean {
  return isDevtoolsPort(port) || (port >= firstPort && port < firstPort + portCount);
}

/**
 * The port of the proxy of a browser with a user of its own: always the same for one user, so that
 * the firewall can let every user through to its own and needs no change while sessions come and go.
 */
export function proxyPortOf(uid: number): number {
  return firstPort + (uid % portCount);
}

/** All ports for proxies in an order that starts anywhere: servers beside each other seldom meet. */
export function proxyPorts(): readonly number[] {
  const start = randomInt(portCount);
  return Array.from(
    { length: portCount },
    (_, offset) => firstPort + ((start + offset) % portCount),
  );
}
