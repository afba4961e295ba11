import { type ErrorCode, NightjarError } from "./errors.ts";

/** As soon may somebody have made room, or mounted the disk anew, in s. */
const retryAfterSeconds = 5;

/** What the operating system refuses, by its error codes: what a caller is told, and why. */
const refusals: readonly {
  readonly systemCodes: readonly unknown[];
  readonly code: ErrorCode;
  readonly why: string;
}[] = [
  {
    systemCodes: ["ENOSPC", "EDQUOT"],
    code: "storage_full",
    why: "this server's disk is full",
  },
  {
    systemCodes: ["EROFS", "EIO"],
    code: "store_unavailable",
    why: "this server's disk is read-only or failing",
  },
  {
    systemCodes: ["EMFILE", "ENFILE"],
    code: "at_capacity",
    why: "this server has no file descriptors left",
  },
  {
    systemCodes: ["EAGAIN", "ENOMEM"],
    code: "at_capacity",
    why: "this server has no room for more processes",
  },
];

/**
 * What a caller is told where the system refused to give or to write something; null for any other
 * error. `what` begins the message: "The file could not be stored".
 */
export function systemRefusal(error: unknown, what: string): NightjarError | null {
  const code = systemCodeOf(error);
  const found = refusals.find(({ systemCodes }) => systemCodes.includes(code));
  if (found === undefined) return null;
  const message = `${what}: ${found.why}. Try again in ${retryAfterSeconds} seconds.`;
  return new NightjarError(found.code, message, { cause: error, retryAfterSeconds });
}

/** The error code of the system, of the error itself or of what caused it; null for none. */
function systemCodeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return null;
  return "syscall" in error && "code" in error ? error.code : systemCodeOf(error.cause);
}
