import type { Nightjar } from "./nightjar.ts";

/** The samples of a server's `/metrics`, by name and labels as they stand. */
export async function samplesOf(
  server: Nightjar,
  token: string,
): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const lines = (await response.text()).split("\n").filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** What a server had to repair so far, by kind; kinds of which there was nothing are left out. */
export async function leaksOf(
  server: Nightjar,
  token: string,
): Promise<Readonly<Record<string, number>>> {
  const samples = [...(await samplesOf(server, token))].flatMap(([name, value]) => {
    const kind = /^nightjar_leaks_repaired_total\{kind="(\w+)"\}$/.exec(name)?.[1];
    return kind === undefined || value === 0 ? [] : [[kind, value] as const];
  });
  return Object.fromEntries(samples);
}
