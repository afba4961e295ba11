import { readdirSync } from "node:fs";
import { readProc } from "./proc-files.ts";
import { listProcesses } from "./process-identity.ts";

/**
 * The processes that name the directory of a browser on their command line, by the browser's id:
 * about 10 µs for each process of the machine.
 */
export async function browserProcesses(
  browsersDirectory: string,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const prefix = `--user-data-dir=${browsersDirectory}/`;
  for (const { pid, commandLine } of await commandLines()) {
    const at = commandLine.indexOf(prefix);
    if (at === -1) continue;
    const id = commandLine.slice(at + prefix.length).split("/", 1)[0] ?? "";
    found.set(id, [...(found.get(id) ?? []), pid]);
  }
  return found;
}

async function commandLines(): Promise<
  readonly { readonly pid: number; readonly commandLine: string }[]
> {
  if (process.platform !== "linux") return listProcesses();
  return readdirSync("/proc")
    .map(Number)
    .filter(Number.isInteger)
    .map((pid) => ({ pid, commandLine: readProc(`/proc/${pid}/cmdline`) }));
}
