import { AsyncLocalStorage } from "node:async_hooks";

/**
 * What the log lines of one request have in common, whichever part of the server writes them. It
 * goes with the request's promises and callbacks; what a request left behind (timers, connections)
 * is no part of it any more once it is over.
 */
export interface LogScope {
  readonly fields: { request_id: string; session_id?: string; trace_id?: string };
  over: boolean;
}

const current = new AsyncLocalStorage<LogScope>();
const ofLogger = new WeakMap<object, LogScope>();

/** Runs work whose log lines belong to the scope. */
export function inLogScope<T>(scope: LogScope, work: () => T): T {
  return current.run(scope, work);
}

/** Has every line of a logger belong to the scope, wherever and whenever it is written. */
export function bindToScope(logger: object, scope: LogScope): void {
  ofLogger.set(logger, scope);
}

/** The fields of a line that is written now by a logger. */
export function scopeFields(logger: object): object {
  const own = ofLogger.get(logger);
  if (own !== undefined) return { ...own.fields };
  const scope = current.getStore();
  return scope === undefined || scope.over ? {} : { ...scope.fields };
}

/** Calls a function as if no request had led to it: the timers of the server are no request's. */
export const outsideRequests: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
