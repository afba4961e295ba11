/** How serious a message is. */
export const consoleLevels = ["debug", "log", "info", "warning", "error"] as const;
export type ConsoleLevel = (typeof consoleLevels)[number];

/** Who said it: a script's `console`, an exception that nobody caught, or the browser itself. */
export const consoleSources = ["console", "exception", "browser"] as const;
export type ConsoleSource = (typeof consoleSources)[number];

/** One message of a session's pages, as it is logged. */
export interface ConsoleEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly level: ConsoleLevel;
  readonly source: ConsoleSource;
  readonly text: string;
  /** Where it was said; empty where that is not known. */
  readonly url: string;
  /** From 1; null where it is not known. */
  readonly line: number | null;
  readonly column: number | null;
  /** The target id of the tab; empty for what belongs to none. */
  readonly tabId: string;
}

/** Whether a parsed line of the log is an entry. */
export function isConsoleEntry(value: unknown): value is ConsoleEntry {
  return typeof value === "object" && value !== null && "at" in value && "text" in value;
}
