import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type CgroupPlace, childCgroups, findCgroups } from "./cgroup-place.ts";
import {
  exceededMessage,
  hostOutOfMemoryMessage,
  type MemoryCap,
  type MemoryCaps,
} from "./memory-cap.ts";
import { serverMark } from "./server-mark.ts";

/** How often the kernel's counters are read, in ms: one small file a browser, about 20 µs. */
const lookEveryMs = 1000;

/** The kernel charges memory in batches, so a limit may be met a little below it, in bytes. */
const slackBytes = 1024 * 1024;

export interface CgroupMemoryCapsOptions {
  readonly place: CgroupPlace;
  /** Servers beside each other make their cgroups in the same place; this tells them apart. */
  readonly dataDirectory: string;
  readonly limitBytes: number;
}

/** The browsers that cgroups are kept for, by whichever server of a data directory made them. */
export function browsersWithCgroup(dataDirectory: string): readonly string[] {
  // What is mounted twice is seen twice.
  return [...new Set(findCgroups(serverMark(dataDirectory)).flatMap(childCgroups))];
}

/**
 * A cgroup for each browser: the kernel itself keeps it below its limit, by taking back caches and,
 * when that does not do, by killing. What it killed is counted, and the session ends for it even
 * where the browser's main process lives: a page of it is gone, and the next would go, too.
 */
export class CgroupMemoryCaps implements MemoryCaps {
  readonly kind: "cgroup v1" | "cgroup v2";
  readonly #files: CgroupFiles;
  readonly #limitBytes: number;
  /** Holds the cgroups of all browsers of this server. */
  readonly #directory: string;
  readonly #watched = new Set<CgroupMemoryCap>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: CgroupMemoryCapsOptions) {
    const { place, dataDirectory, limitBytes } = options;
    this.kind = `cgroup ${place.version}`;
    this.#files = place.version === "v1" ? filesOfV1 : filesOfV2;
    this.#limitBytes = limitBytes;
    this.#directory = path.join(place.directory, serverMark(dataDirectory));
    this.#open();
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  create(browserId: string): MemoryCap {
    this.#open();
    const directory = this.#directoryOf(browserId);
    mkdirSync(directory);
    try {
      this.#files.limit(directory, this.#limitBytes);
    } catch (error) {
      rmdirSync(directory);
      throw error;
    }
    return this.#watch(directory);
  }

  adopt(browserId: string, _uid: number | null, pid: number): MemoryCap {
    const directory = this.#directoryOf(browserId);
    // It may come from before there were caps, or have another limit by now.
    mkdirSync(directory, { recursive: true });
    this.#files.limit(directory, this.#limitBytes);
    const cap = this.#watch(directory);
    cap.hold(pid);
    return cap;
  }

  held(): readonly string[] {
    return childCgroups(this.#directory);
  }

  remove(browserId: string): boolean {
    return removeCgroup(this.#directoryOf(browserId));
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const id of this.held()) this.remove(id);
    // Those of sessions that are left running keep it.
    removeCgroup(this.#directory);
  }

  /** The cgroup of all browsers, and that of one. */
  directories(browserId: string): readonly [string, string] {
    return [this.#directory, this.#directoryOf(browserId)];
  }

  /** Made again where an operator, or the last stop of a server beside this one, removed it. */
  #open(): void {
    mkdirSync(this.#directory, { recursive: true });
    this.#files.open(this.#directory);
  }

  #directoryOf(browserId: string): string {
    return path.join(this.#directory, browserId);
  }

  #watch(directory: string): CgroupMemoryCap {
    const cap = new CgroupMemoryCap(directory, this.#files, this.#limitBytes, () =>
      this.#watched.delete(cap),
    );
    this.#watched.add(cap);
    return cap;
  }

  #look(): void {
    for (const cap of [...this.#watched]) cap.look();
  }
}

class CgroupMemoryCap implements MemoryCap {
  readonly holdsFirst = true;
  readonly exceeded: Promise<string>;
  readonly #directory: string;
  readonly #files: CgroupFiles;
  readonly #limitBytes: number;
  readonly #onReleased: () => void;
  readonly #exceed = Promise.withResolvers<string>();

  constructor(directory: string, files: CgroupFiles, limitBytes: number, onReleased: () => void) {
    this.#directory = directory;
    this.#files = files;
    this.#limitBytes = limitBytes;
    this.#onReleased = onReleased;
    this.exceeded = this.#exceed.promise;
  }

  hold(pid: number): void {
    writeFileSync(`${this.#directory}/cgroup.procs`, String(pid));
  }

  killedFor(): string | null {
    try {
      if (this.#files.kills(this.#directory) === 0) return null;
      return this.#files.hitLimit(this.#directory)
        ? exceededMessage(this.#limitBytes)
        : hostOutOfMemoryMessage;
    } catch {
      return null;
    }
  }

  look(): void {
    const message = this.killedFor();
    if (message === null) return;
    this.release();
    this.#exceed.resolve(message);
  }

  release(): void {
    this.#onReleased();
  }

  remove(): boolean {
    return removeCgroup(this.#directory);
  }
}

/** What differs between the two versions. Each throws when the cgroup is gone. */
interface CgroupFiles {
  /** Lets the children of a cgroup have limits. */
  open(directory: string): void;
  limit(directory: string, bytes: number): void;
  /** How many processes of the cgroup the kernel has killed for want of memory. */
  kills(directory: string): number;
  /** Whether the cgroup came to its own limit, rather than the machine to its own. */
  hitLimit(directory: string): boolean;
}

const filesOfV1: CgroupFiles = {
  open: () => {},
  limit(directory, bytes) {
    // Swap counts, where the kernel counts it: a session must not fill it instead. It is never
    // below the limit of the memory alone, so that comes down last and goes up first.
    const raise = bytes > readNumber(`${directory}/memory.limit_in_bytes`);
    const swapAndMemory = (): void =>
      writeIfThere(`${directory}/memory.memsw.limit_in_bytes`, bytes);
    if (raise) swapAndMemory();
    writeFileSync(`${directory}/memory.limit_in_bytes`, String(bytes));
    if (!raise) swapAndMemory();
  },
  kills: (directory) => readField(`${directory}/memory.oom_control`, "oom_kill"),
  // Its count of failures stays at 0 when the memory went to processes at once.
  hitLimit: (directory) =>
    readNumber(`${directory}/memory.max_usage_in_bytes`) >=
    readNumber(`${directory}/memory.limit_in_bytes`) - slackBytes,
};

const filesOfV2: CgroupFiles = {
  open: (directory) => writeFileSync(`${directory}/cgroup.subtree_control`, "+memory"),
  limit(directory, bytes) {
    writeFileSync(`${directory}/memory.max`, String(bytes));
    writeIfThere(`${directory}/memory.swap.max`, 0);
    // One of its processes killed is the session ended: at once, and without another being tried.
    writeIfThere(`${directory}/memory.oom.group`, 1);
  },
  kills: (directory) => readField(`${directory}/memory.events`, "oom_kill"),
  hitLimit: (directory) => readField(`${directory}/memory.events`, "oom") > 0,
};

function readNumber(file: string): number {
  return Number(readFileSync(file, "utf8"));
}

/** The number behind a name in a file of `name number` lines; 0 where an old kernel has none. */
function readField(file: string, name: string): number {
  const text = readFileSync(file, "utf8");
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function writeIfThere(file: string, value: number): void {
  try {
    writeFileSync(file, String(value), { flag: "r+" });
  } catch {
    // Not every kernel has it, and the limit holds without.
  }
}

/** False while processes are in it. */
function removeCgroup(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}
