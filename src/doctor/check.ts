/** `warning`: it works, but not as well or not for long. `problem`: sessions cannot be served so. */
export type CheckStatus = "ok" | "warning" | "problem";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** One line for the operator: what there is and, where it is not well, what to do. */
  readonly message: string;
}

/** The checks of one thing, to be filled in with what was found. */
export function checkOf(name: string): Readonly<Record<CheckStatus, (message: string) => Check>> {
  const as = (status: CheckStatus) => (message: string) => ({
    name,
    status,
    message: message.replace(/\s*\n\s*/g, " "),
  });
  return { ok: as("ok"), warning: as("warning"), problem: as("problem") };
}

/** What a server on the same data directory says of itself. */
export interface ServerHealth {
  readonly memoryCap: string;
  readonly devtoolsClosed: boolean;
  readonly leaksRepaired: number;
}
