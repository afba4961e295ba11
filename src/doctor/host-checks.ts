import { readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import type { Config } from "../config.ts";
import { descriptorLimit } from "../host/descriptor-limit.ts";
import { LocalHostGauge } from "../host/host-gauge.ts";
import { bytesPerSession, roomOf } from "../sessions/host-room.ts";
import { type Check, checkOf } from "./check.ts";

const oldestNode = 24;

export function checkNode(): Check {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= oldestNode) return checkOf("node").ok(node);
  return checkOf("node").problem(
    `This is Node ${node}, and ${oldestNode} or newer is needed: start the server by \`npm start\`, which brings one.`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** Measured and judged as for admission. `place`: the data directory, or what will hold it. */
export async function checkRoom(
  config: Config,
  place: string,
  serverRuns: boolean,
): Promise<readonly Check[]> {
  const reading = await new LocalHostGauge({ dataDirectory: place, idleBytes: () => 0 }).read();
  const reserve = { memoryBytes: config.memoryReserveBytes, diskBytes: config.diskReserveBytes };
  const sessions = { agesMs: [], starting: 0, max: config.maxSessions };
  // The disk has a line of its own.
  const { free } = roomOf({ ...reading, disk: null }, reserve, sessions);
  const { availableBytes, totalBytes } = reading.memory;
  const memory = checkOf("memory");
  const has = `${gigabytes(availableBytes)} of ${gigabytes(totalBytes)} are available`;
  const needs = `each takes ${gigabytes(bytesPerSession)}, and NIGHTJAR_MEMORY_RESERVE_MB stays free`;
  return [
    free > 0
      ? memory.ok(
          `${has}, enough for ${free} more sessions (NIGHTJAR_MAX_SESSIONS: ${sessions.max})`,
        )
      : // What is short beside a server may be what its sessions use.
        (serverRuns ? memory.warning : memory.problem)(
          `${has}, too little for another session: ${needs}. End other programs, or give the machine or container more.`,
        ),
    checkDisk(reading.disk, config.diskReserveBytes, place),
  ];
}

function checkDisk(
  disk: { readonly totalBytes: number; readonly freeBytes: number } | null,
  reserveBytes: number,
  place: string,
): Check {
  const check = checkOf("disk");
  if (disk === null) return check.warning(`The space at ${place} cannot be measured.`);
  const has = `${gigabytes(disk.freeBytes)} of ${gigabytes(disk.totalBytes)} are free at ${place}`;
  const remedy =
    "Free some, or lower NIGHTJAR_DISK_RESERVE_MB, NIGHTJAR_RECORDINGS_MAX_MB or the retention of recordings and downloads.";
  if (disk.freeBytes < reserveBytes) {
    return check.problem(
      `${has}, and with less than NIGHTJAR_DISK_RESERVE_MB (${gigabytes(reserveBytes)}) no session starts. ${remedy}`,
    );
  }
  if (disk.freeBytes < 2 * reserveBytes) {
    return check.warning(`${has}, soon less than NIGHTJAR_DISK_RESERVE_MB. ${remedy}`);
  }
  return check.ok(has);
}

/** Browsers keep what they share in their own directories, since containers often have 64 MB here. */
export async function checkSharedMemory(): Promise<Check> {
  const check = checkOf("shared memory");
  const why = "browsers do without (--disable-dev-shm-usage)";
  const space = await statfs("/dev/shm").catch(() => null);
  if (space === null) return check.ok(`there is no /dev/shm, and ${why}`);
  return check.ok(`/dev/shm has ${gigabytes(space.bsize * space.blocks)}, and ${why}`);
}

/** For its connections to the browser, its clients, its proxy's and the files of its recording. */
const descriptorsPerSession = 32;
const descriptorsOfServer = 256;

export function checkDescriptors({ maxSessions }: Config): Check {
  const check = checkOf("file descriptors");
  const limit = descriptorLimit();
  const wanted = descriptorsOfServer + maxSessions * descriptorsPerSession;
  if (limit >= wanted) return check.ok(`a process may have ${limit}`);
  return check.warning(
    `A process may have ${limit} here, and ${maxSessions} sessions may need ${wanted}: raise it (\`ulimit -n ${wanted}\`; systemd: LimitNOFILE=${wanted}; Docker: --ulimit nofile=${wanted}), or lower NIGHTJAR_MAX_SESSIONS.`,
  );
}

const dayMs = 24 * 3_600_000;

export function checkClock(): Check {
  const check = checkOf("clock");
  const now = Date.now();
  // A clock that was never set says 1970, or when the machine was built.
  if (now < statSync(import.meta.filename).mtimeMs - dayMs) {
    return check.problem(
      `It says ${new Date(now).toISOString()}, before this program was installed: certificates of pages are refused so. Set it, and keep it set (NTP).`,
    );
  }
  const source = clockSource();
  if (source !== null && /^(?:hpet|acpi_pm|jiffies|refined-jiffies|pit)$/.test(source)) {
    return check.warning(
      `The kernel's clock is ${source}, which makes every look at the time slow, and browsers look often: use tsc or the hypervisor's (kvm-clock, hyperv) where the machine has it (/sys/devices/system/clocksource).`,
    );
  }
  return check.ok(`${new Date(now).toISOString()}${source === null ? "" : ` by ${source}`}`);
}

function clockSource(): string | null {
  const file = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
}

/** Whether the server could listen where it is told to. */
export function checkPort({ host, port }: Config): Promise<Check> {
  const check = checkOf("port");
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const remedy =
        error.code === "EADDRINUSE"
          ? "another program has it: end that, or choose another NIGHTJAR_PORT"
          : "choose another NIGHTJAR_HOST or NIGHTJAR_PORT";
      resolve(
        check.problem(`${host}, port ${port} cannot be listened on (${error.code}): ${remedy}.`),
      );
    });
    probe.listen(port, host, () =>
      probe.close(() => resolve(check.ok(`${host}, port ${port === 0 ? "any" : port} is free`))),
    );
  });
}
