import type { Protocol } from "devtools-protocol";
import type { WatchedEvent } from "../sessions/ports.ts";
import type { ConsoleEntry, ConsoleLevel } from "./console-entry.ts";
import { loggedUrl, maskText } from "./masking.ts";
import { textOfArguments } from "./remote-text.ts";

/** The longest text that is kept of one message, in characters. */
const longestText = 10_000;

const levelOfCall: Partial<Record<Protocol.Runtime.ConsoleAPICalledEvent["type"], ConsoleLevel>> = {
  debug: "debug",
  info: "info",
  warning: "warning",
  error: "error",
  assert: "error",
};

const levelOfEntry: Readonly<Record<Protocol.Log.LogEntry["level"], ConsoleLevel>> = {
  verbose: "debug",
  info: "info",
  warning: "warning",
  error: "error",
};

/** The entry that an event of a session's pages makes; null for events that make none. */
export function consoleEntryOf({ method, params, target }: WatchedEvent): ConsoleEntry | null {
  const tabId = target?.tabId ?? "";
  switch (method) {
    case "Runtime.consoleAPICalled": {
      const event = params as Protocol.Runtime.ConsoleAPICalledEvent;
      if (event.type === "clear" || event.type === "endGroup") return null;
      const frame = event.stackTrace?.callFrames[0];
      return {
        at: Math.round(event.timestamp),
        level: levelOfCall[event.type] ?? "log",
        source: "console",
        text: logged(textOfArguments(event.args)),
        ...placeOf(frame?.url, frame?.lineNumber, frame?.columnNumber),
        tabId,
      };
    }
    case "Runtime.exceptionThrown": {
      const { timestamp, exceptionDetails } = params as Protocol.Runtime.ExceptionThrownEvent;
      const { text, exception, url, lineNumber, columnNumber, stackTrace } = exceptionDetails;
      const frame = stackTrace?.callFrames[0];
      const what = exception === undefined ? "" : textOfArguments([exception]);
      return {
        at: Math.round(timestamp),
        level: "error",
        source: "exception",
        text: logged(what === "" ? text : `${text} ${what}`),
        ...placeOf(url ?? frame?.url, lineNumber, columnNumber),
        tabId,
      };
    }
    case "Log.entryAdded": {
      const { entry } = params as Protocol.Log.EntryAddedEvent;
      return {
        at: Math.round(entry.timestamp),
        level: levelOfEntry[entry.level],
        source: "browser",
        text: logged(entry.text),
        ...placeOf(entry.url, entry.lineNumber),
        tabId,
      };
    }
    default:
      return null;
  }
}

function logged(text: string): string {
  return maskText(text.length > longestText ? `${text.slice(0, longestText)}…` : text);
}

function placeOf(url: string | undefined, line: number | undefined, column?: number) {
  return {
    url: loggedUrl(url ?? ""),
    line: line === undefined ? null : line + 1,
    column: column === undefined ? null : column + 1,
  };
}
