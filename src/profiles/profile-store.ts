import type { Profile } from "../sessions/profile.ts";

/** A profile with where its state is. */
export interface ProfileRecord extends Profile {
  /** Changes whenever the state is written. */
  readonly revision: number;
  /** Null where it has no state yet. */
  readonly stateFile: string | null;
}

export interface ProfileQuery {
  readonly tenantId: string;
  /** Only those with this text in their name, whatever its letter case. */
  readonly name?: string;
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
}

export interface ProfilePage {
  /** Newest first. */
  readonly profiles: readonly Profile[];
  readonly hasNext: boolean;
}

/** Who may write: the session that persists the profile, or anyone who read this revision while none does. */
export type ProfileWriter = { readonly sessionId: string } | { readonly revision: number };

export interface ProfileWrite {
  readonly profileId: string;
  readonly writer: ProfileWriter;
  readonly stateFile: string;
  readonly domains: readonly string[];
  /** Epoch ms. */
  readonly at: number;
}

/** The durable truth about profiles; their states are files, which it names. */
export interface ProfileStore {
  /** False when the tenant has `most` already. */
  insert(profile: ProfileRecord, most: number): Promise<boolean>;
  find(tenantId: string, id: string): Promise<ProfileRecord | null>;
  list(query: ProfileQuery): Promise<ProfilePage>;
  /** The active session that persists the profile; null for none. */
  sessionPersisting(id: string): Promise<string | null>;
  /**
   * Answers the name of its file, which may be removed now; null for none. Throws `profile_not_found`
   * or `profile_in_use`.
   */
  delete(tenantId: string, id: string): Promise<string | null>;
  /**
   * Makes another file the profile's state, and answers the name of the one before, which may be
   * removed now; null for none. Throws `profile_in_use`, or `ProfileChanged` where the writer may not
   * write (any more); then the state is what it was.
   */
  write(write: ProfileWrite): Promise<string | null>;
  /** The files of all profiles. */
  stateFiles(): Promise<readonly string[]>;
}
