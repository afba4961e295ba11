import type { EgressFailure } from "../../sessions/ports.ts";
import type { AddressKind } from "./address-policy.ts";
import { NameError } from "./name-resolver.ts";

/** Who is at the other end, in a sentence. */
export type Peer = "the server" | "the session's proxy";

/** Why a connection is not made. */
export type Refusal = Extract<EgressFailure, { kind: "refused" }>["reason"];
/** Why one did not come about. */
export type Trouble = Extract<EgressFailure, { kind: "failed" }>["reason"];

/** A connection that is not made, or that did not come about. The message is half a sentence, for the page's owner. */
export class EgressError extends Error {
  readonly outcome:
    | { readonly kind: "refused"; readonly reason: Refusal }
    | { readonly kind: "failed"; readonly reason: Trouble };

  constructor(outcome: EgressError["outcome"], message: string) {
    super(message);
    this.name = "EgressError";
    this.outcome = outcome;
  }
}

export function refused(reason: Refusal, message: string): EgressError {
  return new EgressError({ kind: "refused", reason }, message);
}

export function failed(reason: Trouble, message: string): EgressError {
  return new EgressError({ kind: "failed", reason }, message);
}

const kindInWords: Readonly<Record<AddressKind, string>> = {
  unspecified: "an address of this machine",
  loopback: "an address of this machine",
  private: "a private address",
  "link-local": "a link-local address",
  metadata: "the address of a cloud's metadata service",
  multicast: "a multicast address",
  reserved: "a reserved address",
  own: "an address of this machine",
};

/** For a host that leads to nothing but addresses that are refused; `address` is the first of them. */
export function refusedAddress(host: string, address: string, kind: AddressKind): EgressError {
  const words = kindInWords[kind];
  return refused(
    "address",
    `${host === address ? `${host} is ${words}` : `${host} leads to ${address}, ${words}`}, which sessions may not connect to; the operator can allow it with NIGHTJAR_EGRESS_ALLOW`,
  );
}

/** What became of an attempt to resolve or to dial, in our words. */
export function troubleOf(error: unknown, what: Peer = "the server"): EgressError {
  if (error instanceof EgressError) return error;
  if (error instanceof NameError) {
    if (what !== "the server")
      return failed("name", `the name of ${what} does not resolve (${error.code})`);
    return error.code === "ENOTFOUND" || error.code === "EAI_NONAME"
      ? failed("name", "no server has this name; check the spelling of the URL")
      : failed("name", `its name could not be resolved (${error.code})`);
  }
  const code = codeOf(error);
  switch (code) {
    case "ECONNREFUSED":
      return failed("refused_there", `${what} refuses the connection`);
    case "ECONNRESET":
    case "EPIPE":
      return failed("closed", `${what} closed the connection`);
    case "ETIMEDOUT":
      return failed("timed_out", `${what} did not answer in time`);
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
      return failed("unreachable", `${what} cannot be reached from this machine`);
    default:
      return failed("other", `${what} could not be connected to${code === "" ? "" : ` (${code})`}`);
  }
}

/** The code of a system error; of several addresses' errors that of the first. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : "";
}
