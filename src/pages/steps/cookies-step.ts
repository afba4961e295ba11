import type { Cookie } from "../cookies.ts";
import type { Step } from "./step.ts";

/** So many cookies are named in a step. */
const mostNamed = 50;

/** The step of cookies that were read or set: which they were, without their values. */
export function cookiesStep(
  kind: "cookies_read" | "cookies_set",
  cookies: readonly Cookie[],
  at: Pick<Step, "startedAt" | "url">,
): Step {
  return {
    kind,
    ...at,
    endedAt: Date.now(),
    count: cookies.length,
    cookies: cookies.slice(0, mostNamed).map(({ name, domain }) => ({ name, domain })),
  };
}
