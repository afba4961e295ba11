import { messageOf } from "../sessions/errors.ts";
import { type TrialLaunchOptions, tryLaunch } from "./trial-launch.ts";

/**
 * Finds out whether this system lets Chromium build its sandbox, by launching one browser as
 * sessions get it. Null when it does, otherwise what Chromium said. Throws when the browser does
 * not start for another reason.
 */
export async function sandboxProblem(
  options: Omit<TrialLaunchOptions, "sandbox">,
): Promise<string | null> {
  try {
    await tryLaunch({ ...options, sandbox: true });
    return null;
  } catch (error) {
    const complaint = sandboxComplaint(error);
    if (complaint === null) throw error;
    return complaint;
  }
}

/** What Chromium said of its sandbox when a launch failed; null where it failed for another reason. */
export function sandboxComplaint(error: unknown): string | null {
  const output = error instanceof Error ? messageOf(error.cause) : "";
  const line = output.split("\n").find((text) => /sandbox|namespace/i.test(text));
  return line?.trim() ?? null;
}

/** For the operator of a system without sandbox: what is wrong and what to do. */
export function sandboxRefused(problem: string): string {
  return `This system does not let Chromium build its sandbox (${problem}). Allow user namespaces (on Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0; in Docker: a seccomp profile that allows them), or accept less isolation with NIGHTJAR_ALLOW_NO_SANDBOX=1.`;
}
