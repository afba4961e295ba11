import type { SessionEvent, TabView, TenantEvent } from "../events/session-event.ts";
import type { StartedStep } from "../pages/steps/started-step.ts";
import { deadlineOf, isActive, type Session } from "../sessions/session.ts";
import { toWireStartedStep, toWireStep } from "./step-wire.ts";
import { wireTime } from "./wire-time.ts";

/** The data of an event as it goes over the wire; its name is the event's kind. */
export function toWireEvent(event: SessionEvent, now = Date.now()): Record<string, unknown> {
  switch (event.kind) {
    case "state":
      return toWireState(event.session);
    case "tabs":
      return { tabs: event.tabs.map(toWireTab), active_tab_id: event.activeTab };
    case "tab":
      return { change: event.change, ...toWireTab(event.tab) };
    case "step_started":
      return toWireRunningStep(event.started);
    case "step":
      return toWirePlacedStep(event);
    case "deadline": {
      const { at, reason } = event.deadline;
      return {
        approaching: event.approaching,
        reason,
        at: wireTime(at),
        remaining_seconds: Math.max(0, Math.round((at - now) / 1000)),
      };
    }
    case "end":
      return toWireState(event.session);
  }
}

export function toWireTenantEvent({ change, session }: TenantEvent): Record<string, unknown> {
  return { change, ...toWireState(session) };
}

/** A step with its place and times, as lists and events have it. */
export function toWirePlacedStep({
  position,
  step,
}: Pick<Extract<SessionEvent, { readonly kind: "step" }>, "position" | "step">) {
  const wire = toWireStep(step) as { readonly type: string; readonly value: object };
  return {
    position,
    started_at: wireTime(step.startedAt),
    ended_at: wireTime(step.endedAt),
    ...wire,
  };
}

/** A step that is under way, as lists and events have it. */
export function toWireRunningStep(started: StartedStep) {
  const { type, value } = toWireStartedStep(started) as {
    readonly type: string;
    readonly value: object;
  };
  return { started_at: wireTime(started.startedAt), type, value };
}

function toWireState(session: Session): Record<string, unknown> {
  const active = isActive(session);
  const deadline = active ? deadlineOf(session) : null;
  return {
    session_id: session.id,
    status: session.state.status,
    end_reason: active ? null : session.state.endReason,
    error: active ? null : session.state.error,
    created_at: wireTime(session.createdAt),
    last_accessed_at: wireTime(session.lastAccessedAt),
    closed_at: active ? null : wireTime(session.state.closedAt),
    idle_timeout_minutes: session.idleTimeoutMinutes,
    max_duration_minutes: session.maxDurationMinutes,
    keep_alive: session.keepAlive,
    deadline: deadline === null ? null : { at: wireTime(deadline.at), reason: deadline.reason },
  };
}

function toWireTab({ id, url, title }: TabView): Record<string, unknown> {
  return { tab_id: id, url, title };
}
