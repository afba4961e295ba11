import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Capabilities } from "../sessions/capabilities.ts";
import { answeredLinkEnd, checkViewerQuery, viewerQuery } from "./viewer-tickets.ts";

const capabilities = new Capabilities(randomBytes(32));
const now = Date.UTC(2026, 10, 24, 12, 4, 59);

describe("A link to the live view", () => {
  test("opens what it was made for until its end, also with words added to it", () => {
    const ticket = { sessionId: "one", access: "watch" } as const;
    const query = viewerQuery(capabilities, ticket, now / 1000 + 60);
    query.set("theme", "dark");
    expect(checkViewerQuery(capabilities, query, now + 59_000)).toEqual(ticket);
    expect(() => checkViewerQuery(capabilities, query, now + 61_000)).toThrow(
      expect.objectContaining({ code: "link_expired" }),
    );
    for (const [name, value] of [
      ["session", "two"],
      ["access", "control"],
      ["expires", String(now / 1000 + 61)],
      ["ticket", ""],
    ] as const) {
      const changed = new URLSearchParams(query);
      changed.set(name, value);
      expect(() => checkViewerQuery(capabilities, changed, now)).toThrow(
        expect.objectContaining({ code: "unauthorized" }),
      );
    }
  });

  test("stays the same in a session's answers for minutes, and is good for at least ten", () => {
    expect(answeredLinkEnd(now)).toBe(answeredLinkEnd(now - 4 * 60_000));
    for (let minute = 0; minute < 10; minute += 1) {
      const at = now + minute * 60_000;
      expect(answeredLinkEnd(at) - at / 1000).toBeGreaterThanOrEqual(600);
      expect(answeredLinkEnd(at) - at / 1000).toBeLessThanOrEqual(900);
    }
  });
});
