import type { ProfileStore } from "./profile-store.ts";
import type { StateFiles } from "./state-files.ts";

/**
 * Writes a state and has its profile name it; the file of the one before goes after that, and the new
 * one where the store refuses it. So a crash leaves one of the two whole. Throws what the store says.
 */
export async function replaceState(
  { store, files }: { readonly store: ProfileStore; readonly files: StateFiles },
  packed: Parameters<StateFiles["write"]>[0],
  change: Omit<Parameters<ProfileStore["write"]>[0], "stateFile">,
): Promise<void> {
  const stateFile = await files.write(packed);
  let replaced: string | null;
  try {
    replaced = await store.write({ ...change, stateFile });
  } catch (error) {
    await files.remove(stateFile);
    throw error;
  }
  if (replaced !== null) await files.remove(replaced);
}
