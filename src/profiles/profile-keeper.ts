import { NightjarError } from "../sessions/errors.ts";
import type { Browser, Clock, LoadedProfile, SessionProfiles } from "../sessions/ports.ts";
import {
  lostWithBrowser,
  ProfileChanged,
  type ProfileSave,
  type ProfileUse,
  profileInUse,
  profileNotFound,
} from "../sessions/profile.ts";
import { Rounds } from "../sessions/rounds.ts";
import type { ActiveSession } from "../sessions/session.ts";
import {
  type BrowserState,
  domainsOf,
  emptyState,
  nothingUnrestored,
  type Unrestored,
} from "./browser-state.ts";
import { type CaptureRoom, captureState } from "./capture.ts";
import type { ProfileRecord, ProfileStore } from "./profile-store.ts";
import { replaceState } from "./replace-state.ts";
import { restoreState } from "./restore.ts";
import { Slots } from "./slots.ts";
import { damaged, type StateFiles } from "./state-files.ts";
import { VisitedSites } from "./visited-sites.ts";

/** How long the end of a session waits for its state to be saved, in ms. */
const saveTimeoutMs = 8000;
/** When reading it is cut short, so that what was read can be written in time, in ms. */
const readTimeoutMs = 6000;

/** States that are read from browsers at once, of all sessions: each is held in memory, twice. */
const capturesAtOnce = 4;

/** A session's saves while it runs may take this part of the time. */
const shareOfTime = 0.05;

/** What is left out is named up to this many times in a message, with so many characters each. */
const mostNamed = 5;
const longestName = 200;

export interface ProfileKeeperOptions {
  readonly store: ProfileStore;
  readonly files: StateFiles;
  readonly clock: Clock;
  /** How often the state of a session that runs is saved, in ms. */
  readonly saveEveryMs: number;
  readonly room: CaptureRoom;
  /** Told of what the browser did not take of a state, and of saves that failed. */
  readonly onProblem: (
    profileId: string,
    sessionId: string | null,
    what: string,
    error?: unknown,
  ) => void;
}

/** What is kept for a session that persists its profile. */
interface Kept {
  readonly visited: VisitedSites;
  readonly rounds: Rounds;
  savedAt: number | null;
  /** Of what was saved last. */
  digest: string | null;
}

/** Gives sessions the state of their profiles, and saves it: while they run, and at their end. */
export class ProfileKeeper implements SessionProfiles {
  readonly #options: ProfileKeeperOptions;
  readonly #kept = new Map<string, Kept>();
  /** What browsers were not given of their profiles. */
  readonly #captures = new Slots(capturesAtOnce);
  readonly #unrestored = new WeakMap<Browser, Unrestored>();

  constructor(options: ProfileKeeperOptions) {
    this.#options = options;
  }

  async load(tenantId: string, { id, persist }: ProfileUse): Promise<LoadedProfile> {
    const { store, files, onProblem } = this.#options;
    const profile = await store.find(tenantId, id);
    if (profile === null) throw profileNotFound(id);
    const holder = persist ? await store.sessionPersisting(id) : null;
    if (holder !== null) throw profileInUse(id, holder);
    return {
      revision: profile.revision,
      restore: async (browser) => {
        if (profile.stateFile === null) return;
        const { leftOut, unrestored } = await files.use(profile.stateFile, async (state) => {
          if (state === null) throw await this.#whyGone(tenantId, profile);
          return restoreState(browser, state);
        });
        this.#unrestored.set(browser, unrestored);
        if (leftOut.length > 0) onProblem(id, null, `was not restored whole: ${named(leftOut)}`);
      },
    };
  }

  /** Saves the session's profile now and then; to be called when it has its browser. Returns the way to stop. */
  keep(session: ActiveSession, browser: Browser): () => void {
    if (!session.settings.profile?.persist) return () => {};
    const { clock, saveEveryMs } = this.#options;
    const kept: Kept = {
      visited: new VisitedSites(),
      rounds: new Rounds(clock, async ({ stop }) => {
        const begun = performance.now();
        await this.#saveRunning(session, browser, kept, stop);
        return Math.max(saveEveryMs, (performance.now() - begun) / shareOfTime);
      }),
      savedAt: null,
      digest: null,
    };
    this.#kept.set(session.id, kept);
    void kept.visited.follow(browser);
    const { origins, cookies } = this.#unrestored.get(browser) ?? nothingUnrestored;
    const isWhole = origins.length === 0 && cookies.length === 0;
    // What is missing is noted at once: the next process would take it for removed.
    kept.rounds.within(isWhole ? saveEveryMs : 0);
    return () => {
      this.#kept.delete(session.id);
      kept.visited.end();
      void kept.rounds.stop();
    };
  }

  async save(session: ActiveSession, browser: Browser | null): Promise<ProfileSave> {
    const kept = this.#kept.get(session.id);
    const savedAt = kept?.savedAt ?? null;
    if (browser === null || kept === undefined) return { savedAt, error: lostWithBrowser };
    const late = Promise.withResolvers<never>();
    const { clock, onProblem } = this.#options;
    const cancelLate = clock.callAt(clock.now() + saveTimeoutMs, () =>
      late.reject(new NightjarError("page_failed", "The browser took too long to tell its state.")),
    );
    // From here on, whatever the save has to wait for first.
    const reading = new AbortController();
    const cancelReading = clock.callAt(clock.now() + readTimeoutMs, () => reading.abort());
    const { id } = session.settings.profile ?? { id: "" };
    try {
      const leftOut = await Promise.race([
        this.#saveAtEnd(session, browser, kept, reading.signal),
        late.promise,
      ]);
      if (leftOut.length === 0) return { savedAt: kept.savedAt, error: null };
      const error = `Not all of the profile could be saved: ${named(leftOut)}.`;
      onProblem(id, session.id, error);
      return { savedAt: kept.savedAt, error };
    } catch (failure) {
      onProblem(id, session.id, "failed to save a profile", failure);
      return { savedAt, error: `${whyNot(failure)} The profile is as it was last saved.` };
    } finally {
      cancelLate();
      cancelReading();
    }
  }

  async leave(session: ActiveSession, browser: Browser): Promise<void> {
    const kept = this.#kept.get(session.id);
    if (kept === undefined) return;
    await kept.rounds.stop();
    const { signal } = new AbortController();
    await this.#saveRunning(session, browser, kept, signal);
  }

  async #saveAtEnd(
    session: ActiveSession,
    browser: Browser,
    kept: Kept,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    // One that is under way would write over what is read now.
    await kept.rounds.stop();
    return this.#captures.run(
      () => this.#capture(session, browser, kept, { openTabs: true, signal }),
      true,
    );
  }

  /** What is not open any more is left for the end: clients would see the tabs that it takes. */
  async #saveRunning(
    session: ActiveSession,
    browser: Browser,
    kept: Kept,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#captures.run(() =>
        this.#capture(session, browser, kept, { openTabs: false, signal }),
      );
    } catch (error) {
      // The end does it again, and more of it.
      if (signal.aborted) return;
      // Whatever it is, the end tells of it if it still is.
      const { id } = session.settings.profile ?? { id: "" };
      this.#options.onProblem(
        id,
        session.id,
        "failed to save a profile while its session runs",
        error,
      );
    }
  }

  /** Answers in words what could not be kept. */
  async #capture(
    session: ActiveSession,
    browser: Browser,
    kept: Kept,
    how: { readonly openTabs: boolean; readonly signal: AbortSignal },
  ): Promise<readonly string[]> {
    const { store, files, clock, room } = this.#options;
    // Nobody waits for what a round that is to stop would still write.
    if (!how.openTabs) how.signal.throwIfAborted();
    const { id } = session.settings.profile ?? { id: "" };
    const profile = await store.find(session.tenantId, id);
    if (profile === null) throw profileNotFound(id);
    const previous = await this.#stateOf(profile.stateFile);
    const captured = await captureState(browser, {
      ...how,
      previous,
      visited: kept.visited.origins,
      unrestored: this.#unrestored.get(browser) ?? null,
      room,
    }).catch((error: unknown) => {
      const why = "The browser did not tell its state.";
      throw new NightjarError("page_failed", why, { cause: error });
    });
    if (!how.openTabs) how.signal.throwIfAborted();
    const { state, packed, leftOut } = files.packFitting(captured.state);
    if (packed.digest !== kept.digest) {
      await replaceState({ store, files }, packed, {
        profileId: id,
        writer: { sessionId: session.id },
        domains: domainsOf(state),
        at: clock.now(),
      });
    }
    kept.digest = packed.digest;
    kept.savedAt = clock.now();
    return [...captured.leftOut, ...leftOut];
  }

  /** Why the file of a state that was just found is not there. */
  async #whyGone(tenantId: string, { id, stateFile }: ProfileRecord): Promise<Error> {
    const now = await this.#options.store.find(tenantId, id);
    if (now === null) return profileNotFound(id);
    return now.stateFile === stateFile
      ? damaged("Its file is not on this server's disk any more.")
      : new ProfileChanged();
  }

  async #stateOf(stateFile: string | null): Promise<BrowserState> {
    if (stateFile === null) return emptyState;
    // It cannot have been replaced: nobody else writes it. One that is lost must not be the end of all.
    return (await this.#options.files.read(stateFile)) ?? emptyState;
  }
}

/** A sentence for the owner of a profile that was not saved. */
function whyNot(failure: unknown): string {
  if (failure instanceof NightjarError) return failure.message;
  return failure instanceof ProfileChanged
    ? "The session does not write this profile any more."
    : "The server failed to write the state down; its log says why.";
}

/** Names are those that pages gave: they may be of any length. */
function named(leftOut: readonly string[]): string {
  const more = leftOut.length - mostNamed;
  const first = leftOut.slice(0, mostNamed).map((what) => what.slice(0, longestName));
  return `${first.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
