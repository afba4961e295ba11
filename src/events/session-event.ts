import type { StartedStep } from "../pages/steps/started-step.ts";
import type { Step } from "../pages/steps/step.ts";
import type { Deadline, EndedSession, Session } from "../sessions/session.ts";

/** A tab of a session, as events tell of it. */
export interface TabView {
  /** Its target id in CDP. */
  readonly id: string;
  readonly url: string;
  readonly title: string;
}

/** What can be news of a session. */
export type SessionNews =
  /** How the session is, all of it: at first, and whenever its limits change. */
  | { readonly kind: "state"; readonly session: Session }
  /** The open tabs, all of them: at first, and where changes were missed. */
  | { readonly kind: "tabs"; readonly tabs: readonly TabView[]; readonly activeTab: string | null }
  | {
      readonly kind: "tab";
      readonly change: "opened" | "changed" | "activated" | "closed";
      readonly tab: TabView;
    }
  /** A step is under way from now on; what came of it is told when it is done. */
  | { readonly kind: "step_started"; readonly started: StartedStep }
  | { readonly kind: "step"; readonly position: number; readonly step: Step }
  /** The session ends soon if nothing touches it; or not so soon any more. */
  | { readonly kind: "deadline"; readonly deadline: Deadline; readonly approaching: boolean }
  | { readonly kind: "end"; readonly session: EndedSession };

/** News with its number. Numbers rise within a session, also across restarts of the server. */
export type SessionEvent = { readonly id: number } & SessionNews;

/** A session that began or ended. */
export interface TenantEvent {
  readonly id: number;
  readonly change: "started" | "ended";
  readonly session: Session;
}
