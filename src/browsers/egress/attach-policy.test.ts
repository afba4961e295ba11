import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "vitest";
import { AttachPolicy } from "./attach-policy.ts";

/** What a policy makes of a name: its allowed addresses, or the error's code. */
function lookUp(policy: AttachPolicy, name: string, all: boolean): Promise<unknown> {
  return new Promise((resolve) => {
    policy.lookup(
      name,
      { all },
      (error: NodeJS.ErrnoException | null, address: string | LookupAddress[]) =>
        resolve(error === null ? address : error.code),
    );
  });
}

describe("URLs", () => {
  const strict = new AttachPolicy([]);

  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://[::1]:9222/",
    "http://[::ffff:127.0.0.1]/",
    "ws://169.254.169.254/latest/meta-data",
  ])("with a refused address for a host are refused however it is written: %s", (url) => {
    expect(() => strict.checkUrl(new URL(url))).toThrow(
      expect.objectContaining({ code: "attach_refused" }),
    );
  });

  test("with a name for a host are left to the lookup", () => {
    expect(() => strict.checkUrl(new URL("http://localhost/"))).not.toThrow();
  });
});

describe("names", () => {
  test.each([true, false])("that lead to loopback are refused (all: %s)", async (all) => {
    expect(await lookUp(new AttachPolicy([]), "localhost", all)).toBe("attach_refused");
  });

  test("resolve to their allowed addresses only", async () => {
    const policy = new AttachPolicy(["127.0.0.0/8"]);
    expect(await lookUp(policy, "localhost", false)).toBe("127.0.0.1");
    expect(await lookUp(policy, "localhost", true)).toEqual([{ address: "127.0.0.1", family: 4 }]);
  });

  test("that do not exist fail as names do", async () => {
    const answer = await lookUp(new AttachPolicy([]), "no-such-name.invalid", true);
    expect(answer).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });
});
