import type { LookupAddress } from "node:dns";
import { connect, type LookupFunction, type Socket } from "node:net";

/** How long a connection may take to come about, in ms. */
const dialTimeoutMs = 30_000;
/** How long one of several addresses is waited for before the next is tried, in ms. */
const attemptTimeoutMs = 500;
/** After how long without a byte the system asks whether the other side is still there, in ms. */
const keepAliveMs = 60_000;

/**
 * Connects to one of these addresses, the first that answers, and to no other: what was checked is
 * what is dialled. Throws a system error, `ETIMEDOUT` after `timeoutMs`, or the signal's reason.
 */
export async function dial(
  addresses: readonly LookupAddress[],
  port: number,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Socket> {
  const { timeoutMs = dialTimeoutMs, signal } = options;
  signal?.throwIfAborted();
  const socket = connect({
    // Never resolved: the look-up below answers what was checked.
    host: "checked.invalid",
    port,
    lookup: lookupOf(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptTimeoutMs,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal?.reason);
  const timer = setTimeout(
    () => reject(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" })),
    timeoutMs,
  );
  socket.once("connect", resolve);
  socket.once("error", reject);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    socket.off("error", reject);
    signal?.removeEventListener("abort", abort);
    // Whoever is given the socket listens for itself; until then an error must not end the process.
    socket.on("error", () => {});
  }
}

/** A look-up that answers these addresses for every name. */
export function lookupOf(addresses: readonly LookupAddress[]): LookupFunction {
  return (_name, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
}
