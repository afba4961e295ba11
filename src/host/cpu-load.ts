import { cpus } from "node:os";

/** Shorter spans than this, in ms, say more about chance than about load. */
const shortestSpanMs = 1000;

interface Reading {
  /** On the clock of `performance.now()`, in ms. */
  readonly at: number;
  readonly busyMs: number;
  readonly totalMs: number;
}

/** How busy this machine's cores are, over the seconds before it is asked. */
export class CpuLoad {
  #before: Reading = read();
  #percent = 0;

  /** 0 to 100, all cores together. */
  percent(): number {
    const now = read();
    if (now.at - this.#before.at >= shortestSpanMs) {
      const total = now.totalMs - this.#before.totalMs;
      const busy = now.busyMs - this.#before.busyMs;
      this.#percent = total <= 0 ? 0 : Math.min(100, Math.max(0, (100 * busy) / total));
      this.#before = now;
    }
    return this.#percent;
  }
}

function read(): Reading {
  let busyMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq;
    busyMs += busy;
    totalMs += busy + times.idle;
  }
  return { at: performance.now(), busyMs, totalMs };
}
