import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/** One look at the table of connections; who comes while it is being read needs the next. */
let reading: Promise<string> | null = null;
let next: Promise<string> | null = null;

/**
 * Whether the process at the other end of a connection on this machine belongs to a user. True as
 * well where the platform does not tell. The system's table takes 8 ms to be read on a machine with
 * much memory, so this is asked only where it matters, and one look serves all who wait.
 */
export async function isPeerOfUser(socket: Socket, uid: number): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const { remotePort, localPort } = socket;
  if (remotePort === undefined || localPort === undefined) return false;
  const wanted = [`:${hex(remotePort)}`, `:${hex(localPort)}`] as const;
  for (const line of (await connectionTable()).split("\n")) {
    // `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid ...`
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(wanted[0]) && fields[2]?.endsWith(wanted[1])) {
      return Number(fields[7]) === uid;
    }
  }
  return false;
}

function connectionTable(): Promise<string> {
  if (reading === null) {
    reading = readFile("/proc/net/tcp", "utf8").finally(() => {
      reading = null;
    });
    return reading;
  }
  next ??= reading.then(
    () => startNext(),
    () => startNext(),
  );
  return next;
}

function startNext(): Promise<string> {
  next = null;
  return connectionTable();
}

/** As the table writes ports. */
function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
