import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

const windowMs = 100;
const restingShare = 0.9;
const patienceMs = 10_000;

/** Resolves when the machine's cores are at rest, or after 10 s where something else keeps them busy. */
export async function machineAtRest(): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (let before = coreTimes(); Date.now() < deadline; ) {
    await delay(windowMs);
    const now = coreTimes();
    if ((now.idle - before.idle) / (now.all - before.all) >= restingShare) return;
    before = now;
  }
}

/** Of all cores since the machine was started, in ms. */
function coreTimes(): { readonly idle: number; readonly all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.sys + times.nice + times.irq;
  }
  return { idle, all };
}
