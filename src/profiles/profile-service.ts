import { randomBytes } from "node:crypto";
import type { Cookie } from "../pages/cookies.ts";
import { NightjarError } from "../sessions/errors.ts";
import type { Clock, HostGauge } from "../sessions/ports.ts";
import {
  type Profile,
  profileInUse,
  profileNotFound,
  untilUnchanged,
} from "../sessions/profile.ts";
import { mergeCookies, toCookie, toStoredCookie } from "./browser-cookies.ts";
import { type BrowserState, domainsOf, emptyState } from "./browser-state.ts";
import type { ProfilePage, ProfileQuery, ProfileRecord, ProfileStore } from "./profile-store.ts";
import { replaceState } from "./replace-state.ts";
import { damaged, type StateFiles } from "./state-files.ts";

/** More are refused: each may have a state on the disk. */
export const mostProfiles = 1000;

/** Cookies that a profile may hold, as browsers have it. */
const mostCookies = 5000;

/** How often a state is looked for that is replaced between the look at its row and its file. */
const mostAttempts = 5;

export interface ProfileServiceOptions {
  readonly store: ProfileStore;
  readonly files: StateFiles;
  readonly clock: Clock;
  readonly gauge: HostGauge;
  /** With less of the disk free, in bytes, no state is put in or duplicated. */
  readonly diskReserveBytes: number;
}

/** Creates, lists and deletes profiles, and changes the cookies in them. */
export class ProfileService {
  readonly #options: ProfileServiceOptions;

  constructor(options: ProfileServiceOptions) {
    this.#options = options;
  }

  /** Throws `profile_limit`. */
  create(tenantId: string, name: string | null): Promise<Profile> {
    return this.#insert(tenantId, name, null, []);
  }

  /** Throws `profile_not_found`. */
  async get(tenantId: string, id: string): Promise<Profile> {
    return this.#find(tenantId, id);
  }

  list(query: ProfileQuery): Promise<ProfilePage> {
    return this.#options.store.list(query);
  }

  /** Throws `profile_not_found`, or `profile_in_use` while a session persists it. */
  async delete(tenantId: string, id: string): Promise<void> {
    const stateFile = await this.#options.store.delete(tenantId, id);
    if (stateFile !== null) await this.#options.files.remove(stateFile);
  }

  /** A profile of its own with the same state. Throws `profile_not_found`, `profile_limit` or `storage_full`. */
  async duplicate(tenantId: string, id: string, name: string | null): Promise<Profile> {
    await this.#checkRoom();
    const { files } = this.#options;
    const { profile, value: stateFile } = await this.#look(tenantId, id, (file) =>
      files.copy(file),
    );
    if (stateFile === null) return this.#insert(tenantId, name, null, []);
    try {
      return await this.#insert(tenantId, name, stateFile, profile.domains);
    } catch (error) {
      await files.remove(stateFile);
      throw error;
    }
  }

  /** As they were last saved. Throws `profile_not_found`. */
  async cookies(tenantId: string, id: string): Promise<readonly Cookie[]> {
    const { files } = this.#options;
    const { value } = await this.#look(tenantId, id, (file) =>
      files.use(file, async (state) => state?.cookies.map(toCookie) ?? null),
    );
    return value ?? [];
  }

  /**
   * Puts cookies into the profile, or in the place of all that it has; answers how many it has then.
   * Throws `profile_not_found`, `profile_in_use`, `profile_too_large` or `storage_full`.
   */
  async setCookies(
    tenantId: string,
    id: string,
    cookies: readonly Cookie[],
    mode: "append" | "replace",
  ): Promise<number> {
    await this.#checkRoom();
    const { files } = this.#options;
    const put = async (profile: ProfileRecord, state: BrowserState): Promise<number> => {
      const before = mode === "replace" ? [] : state.cookies;
      const merged = mergeCookies(before, cookies.map(toStoredCookie));
      if (merged.length > mostCookies) {
        throw new NightjarError(
          "profile_too_large",
          `A profile may hold ${mostCookies} cookies; it would have ${merged.length}.`,
        );
      }
      await this.#write(profile, { ...state, cookies: merged });
      return merged.length;
    };
    return untilUnchanged(id, async () => {
      const { profile, value } = await this.#look(tenantId, id, (file, found) =>
        files.use(file, async (state) => (state === null ? null : put(found, state))),
      );
      return value ?? put(profile, emptyState);
    });
  }

  /** Removes files of states that no profile has: what a process left that ended while it wrote. Call once, first. */
  async sweep(): Promise<void> {
    const { store, files } = this.#options;
    await files.sweep(new Set(await store.stateFiles()));
  }

  async #write(profile: ProfileRecord, state: BrowserState): Promise<void> {
    const { store, files, clock } = this.#options;
    const holder = await store.sessionPersisting(profile.id);
    if (holder !== null) throw profileInUse(profile.id, holder);
    await replaceState({ store, files }, files.pack(state), {
      profileId: profile.id,
      writer: { revision: profile.revision },
      domains: domainsOf(state),
      at: clock.now(),
    });
  }

  /**
   * Does something with the file of a profile's state; null without it where it has none. `work`: answers
   * null where the file is gone.
   */
  async #look<T>(
    tenantId: string,
    id: string,
    work: (stateFile: string, profile: ProfileRecord) => Promise<T | null>,
  ): Promise<{ readonly profile: ProfileRecord; readonly value: T | null }> {
    for (let attempt = 1; ; attempt += 1) {
      const profile = await this.#find(tenantId, id);
      if (profile.stateFile === null) return { profile, value: null };
      const value = await work(profile.stateFile, profile);
      if (value !== null) return { profile, value };
      // It was replaced between the two.
      if (attempt >= mostAttempts) throw damaged("Its file is not on this server's disk any more.");
    }
  }

  /** Throws `storage_full` where less of the disk is free than is kept for what runs. */
  async #checkRoom(): Promise<void> {
    const { gauge, diskReserveBytes } = this.#options;
    const { disk } = await gauge.read();
    if (disk === null || disk.freeBytes >= diskReserveBytes) return;
    throw new NightjarError(
      "storage_full",
      "The profile was not saved: this server's disk has less free than NIGHTJAR_DISK_RESERVE_MB.",
    );
  }

  async #find(tenantId: string, id: string): Promise<ProfileRecord> {
    const profile = await this.#options.store.find(tenantId, id);
    if (profile === null) throw profileNotFound(id);
    return profile;
  }

  async #insert(
    tenantId: string,
    name: string | null,
    stateFile: string | null,
    domains: readonly string[],
  ): Promise<Profile> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const profile: ProfileRecord = {
      id: `notte-profile-${randomBytes(8).toString("hex")}`,
      tenantId,
      name,
      createdAt: now,
      updatedAt: now,
      domains,
      revision: 1,
      stateFile,
    };
    if (await store.insert(profile, mostProfiles)) return profile;
    throw new NightjarError(
      "profile_limit",
      `There are ${mostProfiles} profiles already, the most that a tenant may have. Delete some first.`,
    );
  }
}
