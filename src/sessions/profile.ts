import { NightjarError } from "./errors.ts";

/** State of a browser that is kept from session to session: what keeps its owner logged in. */
export interface Profile {
  /** `notte-profile-` and 16 hexadecimal digits. */
  readonly id: string;
  readonly tenantId: string;
  readonly name: string | null;
  /** Epoch ms. */
  readonly createdAt: number;
  /** When its state was last written, epoch ms. */
  readonly updatedAt: number;
  /** Where there is something of: the domains of its cookies and the hosts of its storage. */
  readonly domains: readonly string[];
}

/** What a session asks of a profile. */
export interface ProfileUse {
  readonly id: string;
  /** Whether the state is written back at the session's end. */
  readonly persist: boolean;
}

/** What became of a session's state, for sessions that persist it. */
export interface ProfileSave {
  /** When it was last written, epoch ms; null where it never was. */
  readonly savedAt: number | null;
  /** Why it was not written at the end, or not all of it; null where it was. */
  readonly error: string | null;
}

/** For ends at which there was no browser any more to ask. */
export const lostWithBrowser =
  "The browser was gone before the profile could be saved at the end; the profile is as it was last saved.";

export function profileNotFound(id: string): NightjarError {
  return new NightjarError("profile_not_found", `No profile with id "${id}" belongs to you.`);
}

/** A session that persists the profile keeps others from writing it. */
export function profileInUse(id: string, sessionId: string): NightjarError {
  return new NightjarError(
    "profile_in_use",
    `Session "${sessionId}" writes the profile "${id}" when it ends. Stop that session first, or start this one with \`persist: false\`.`,
  );
}

/** The state was written after it had been read: who read it would write back old state. */
export class ProfileChanged extends Error {}

/** How often something is tried again because the profile was written meanwhile. */
const mostAttempts = 5;

/** Does again what found the profile changed. Throws `profile_in_use` where it is changed all the time. */
export async function untilUnchanged<T>(id: string, attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; attempts <= mostAttempts; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ProfileChanged)) throw error;
    }
  }
  throw new NightjarError(
    "profile_in_use",
    `The profile "${id}" is being changed by others all the time. Try again.`,
  );
}
