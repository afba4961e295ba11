import { access, constants } from "node:fs/promises";
import path from "node:path";

/** The first executable of a name in the directories of PATH; null where there is none. */
export async function findInPath(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  for (const directory of (environment["PATH"] ?? "").split(path.delimiter)) {
    // A relative entry would mean another directory tomorrow.
    if (!path.isAbsolute(directory)) continue;
    const file = path.join(directory, name);
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return file;
  }
  return null;
}
