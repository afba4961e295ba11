/**
 * Holds the processes of one browser to the memory that a session may have. Made before the browser
 * is launched, so that nothing of it ever runs without.
 */
export interface MemoryCap {
  /**
   * True where `hold` must come before the process does anything: what it has started by then would
   * escape.
   */
  readonly holdsFirst: boolean;
  /** Puts a process under the cap, and all that it starts from now on. Throws where it cannot. */
  hold(pid: number): void;
  /** Settles when the browser took more than it may, with words for the session's owner; never rejects. */
  readonly exceeded: Promise<string>;
  /**
   * For a browser that was killed: whether the kernel did so because memory ran out, in words for
   * the session's owner; null where it did not, as far as can be told.
   */
  killedFor(): string | null;
  /** Stops watching; `remove` follows when its processes are gone. */
  release(): void;
  /** Removes what holds the processes; true when nothing is left of it. None of them may run any more. */
  remove(): boolean;
}

/** The one way in which this host caps the memory of browsers. */
export interface MemoryCaps {
  readonly kind: "cgroup v2" | "cgroup v1" | "watchdog" | "none";
  /** For a browser that is about to be launched. Throws where it cannot be held. */
  create(browserId: string, uid: number | null): MemoryCap;
  /** For a browser that runs already, since before this server was started. */
  adopt(browserId: string, uid: number | null, pid: number): MemoryCap;
  /** The browsers that something on this host is kept for, living or not. */
  held(): readonly string[];
  /** Removes what is kept for a browser that is gone; true when nothing is left. */
  remove(browserId: string): boolean;
  /** Stops watching, and removes what stands for no browser. */
  stop(): void;
}

const bytesPerMb = 1024 * 1024;

/** What the owner of a session is told when it took more than it may. */
export function exceededMessage(limitBytes: number): string {
  return `Its browser needed more than the ${Math.round(limitBytes / bytesPerMb)} MB of memory that a session may have.`;
}

/** What the owner of a session is told when the whole machine had no memory left. */
export const hostOutOfMemoryMessage =
  "Its browser was killed because the machine ran out of memory.";

/** No cap: where the operator wants none, or the platform offers no way. */
export const noMemoryCaps: MemoryCaps = {
  kind: "none",
  create: () => noMemoryCap,
  adopt: () => noMemoryCap,
  held: () => [],
  remove: () => true,
  stop: () => {},
};

const noMemoryCap: MemoryCap = {
  holdsFirst: false,
  hold: () => {},
  exceeded: new Promise(() => {}),
  killedFor: () => null,
  release: () => {},
  remove: () => true,
};
