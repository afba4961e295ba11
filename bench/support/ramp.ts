import { type Summary, short } from "./statistics.ts";

/** What so many clients at once came to. */
export interface RampStep {
  readonly clients: number;
  readonly perMinute: number;
  /** How long the creates took, in ms. */
  readonly create: Summary;
}

/** More clients are worth it while they bring so much more. */
const worthwhileGrowth = 1.05;

/** Creates that take so many times the usual now and then are not steady. */
const steadySpread = 3;

/**
 * Adds clients until the rate does not grow by more than 5 % any more, or creates are not steady.
 * Answers all steps, and the fastest steady one (the first where none was).
 */
export async function rampUp(
  runStep: (clients: number) => Promise<RampStep>,
): Promise<{ readonly steps: readonly RampStep[]; readonly best: RampStep }> {
  let last = await runStep(1);
  let best = last;
  const steps = [last];
  for (;;) {
    const step = await runStep(moreThan(last.clients));
    steps.push(step);
    const steady = isSteady(step);
    if (steady && (step.perMinute > best.perMinute || !isSteady(best))) best = step;
    if (!steady || step.perMinute <= last.perMinute * worthwhileGrowth) return { steps, best };
    last = step;
  }
}

/** For people. */
export function describeStep({ clients, perMinute, create }: RampStep): string {
  const spread = short(create.p99 / create.p50);
  return `${clients} clients: ${short(perMinute)} sessions a minute, create p50 ${short(create.p50)} ms, p99 ${spread} x p50`;
}

function isSteady({ create }: RampStep): boolean {
  return create.p99 <= steadySpread * create.p50;
}

/** One more where that is much, half as many more where it is not. */
function moreThan(clients: number): number {
  return clients < 4 ? clients + 1 : Math.ceil(clients * 1.5);
}
