import type { Line } from "./connection.ts";
import { element } from "./elements.ts";

/** Why a session ended, in words, by the reasons of the API. */
const reasons: Readonly<Record<string, string>> = {
  client_stop: "It was stopped.",
  idle_timeout: "Nobody used it for its idle timeout.",
  max_duration: "It reached its longest duration.",
  browser_crash: "Its browser crashed.",
  out_of_memory: "It used more memory than it may.",
  node_lost: "Its machine was restarted.",
  server_stop: "The server was stopped.",
  policy: "The operator's policy ended it.",
};

const box = element("cover", HTMLElement);
const title = element("cover-title", HTMLElement);
const text = element("cover-text", HTMLElement);

/** Covers the page with how the line is, where there is nothing to see. */
export function showCover(line: Line): void {
  const words = wordsFor(line);
  box.hidden = words === null;
  if (words === null) return;
  [title.textContent, text.textContent] = words;
}

function wordsFor(line: Line): readonly [string, string] | null {
  switch (line.kind) {
    case "open":
      return null;
    case "connecting":
      return ["Connecting", "The session's page appears in a moment."];
    case "broken":
      return ["Connection lost", "Trying to connect again."];
    case "ended":
      return [
        "The session has ended",
        [reasons[line.reason] ?? line.reason, line.error ?? ""].join(" ").trim(),
      ];
    case "refused":
      return line.expired
        ? ["This link has expired", "Ask for a new one: every answer about the session has one."]
        : ["This link is not valid", "Open the viewer_url as the session's answer has it."];
  }
}
