import { describe, expect, test } from "vitest";
import { systemRefusal } from "./system-refusals.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: mkdir '/secret/place'`), { code, syscall: "mkdir" });
}

describe("what the system refuses", () => {
  test.each([
    ["ENOSPC", "storage_full", "disk is full"],
    ["EROFS", "store_unavailable", "read-only"],
    ["EMFILE", "at_capacity", "file descriptors"],
    ["EAGAIN", "at_capacity", "processes"],
  ])(
    "by %s is told as %s, with when to come back and without where on the machine",
    (system, code, text) => {
      const cause = systemError(system);
      for (const error of [cause, new Error("while it was made", { cause })]) {
        const refusal = systemRefusal(error, "The file could not be stored");
        expect(refusal).toMatchObject({ code, retryAfterSeconds: 5, cause: error });
        expect(refusal?.message).toMatch(new RegExp(`^The file could not be stored: .*${text}`));
        expect(refusal?.message).not.toContain("/");
      }
    },
  );

  test("is told apart from every other failure", () => {
    for (const error of [systemError("ENOENT"), new Error("ENOSPC"), "ENOSPC", null]) {
      expect(systemRefusal(error, "It failed")).toBeNull();
    }
  });
});
