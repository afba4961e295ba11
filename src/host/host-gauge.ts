import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { HostGauge, HostReading } from "../sessions/ports.ts";
import { availableMemory, type Memory } from "./available-memory.ts";
import { CpuLoad } from "./cpu-load.ts";

/** How long a measurement of the memory holds, in ms: a burst of starts costs one, about 0.2 ms of CPU. */
const memoryHoldsMs = 100;

/** How long a measurement of the disk holds, in ms: it fills slowly, and asking may take a while. */
const diskHoldsMs = 1000;

export interface LocalHostGaugeOptions {
  /** The file system of this directory is the one that is looked at. */
  readonly dataDirectory: string;
  /** What idle warm browsers hold now, in bytes. */
  readonly idleBytes: () => number;
}

/** Measures the machine, or the container, that this process runs on. */
export class LocalHostGauge implements HostGauge {
  readonly #options: LocalHostGaugeOptions;
  readonly #cpu = new CpuLoad();
  #memory: { readonly at: number; readonly reading: Memory } | null = null;
  #disk: { readonly at: number; readonly reading: Promise<HostReading["disk"]> } | null = null;

  constructor(options: LocalHostGaugeOptions) {
    this.#options = options;
  }

  async read(): Promise<HostReading> {
    const disk = await this.#readDisk();
    return {
      memory: { ...this.#readMemory(), idleBytes: this.#options.idleBytes() },
      disk,
      cpu: { cores: availableParallelism(), loadPercent: this.#cpu.percent() },
    };
  }

  #readMemory(): Memory {
    const now = performance.now();
    if (this.#memory === null || now - this.#memory.at > memoryHoldsMs) {
      this.#memory = { at: now, reading: availableMemory() };
    }
    return this.#memory.reading;
  }

  #readDisk(): Promise<HostReading["disk"]> {
    const now = performance.now();
    if (this.#disk === null || now - this.#disk.at > diskHoldsMs) {
      this.#disk = { at: now, reading: spaceOf(this.#options.dataDirectory) };
    }
    return this.#disk.reading;
  }
}

async function spaceOf(directory: string): Promise<HostReading["disk"]> {
  try {
    const { bsize, blocks, bavail } = await statfs(directory);
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return null;
  }
}
