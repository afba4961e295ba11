import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cleanFileName,
  extensionOf,
  fitFileName,
  longestNameBytes,
  numberedName,
  timePrefix,
  withoutTimePrefix,
} from "./file-names.ts";

/** Text with many of the characters that matter in names. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom("..", ".", "/", "\\", "\0", "\n", " ", "C:", "%2e%2e", "\u202e", "\ud800"),
      fc.constantFrom("CON", "nul.txt", "é", "e\u0301", "👩‍💻", ".pdf", "a"),
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("a clean file name", () => {
  test("stays in its folder, whatever was given", () => {
    fc.assert(
      fc.property(hostileText, (given) => {
        const name = fitFileName(cleanFileName(given));
        if (name === "") return;
        const folder = "/files/folder";
        expect(path.posix.dirname(path.posix.join(folder, name))).toBe(folder);
        expect(path.win32.basename(name)).toBe(name);
        expect(name).not.toMatch(/^\.{1,2}$|[/\\\p{Cc}]|[\s.]$/u);
        expect(name.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("is not changed by being cleaned again", () => {
    fc.assert(
      fc.property(hostileText, (given) => {
        const name = cleanFileName(given);
        expect(cleanFileName(name)).toBe(name);
        const fitted = fitFileName(name);
        expect(cleanFileName(fitted)).toBe(fitted);
      }),
      { numRuns: 2000 },
    );
  });

  test("is the same for both ways to write an accent", () => {
    expect(cleanFileName("cafe\u0301.txt")).toBe(cleanFileName("caf\u00e9.txt"));
  });

  test.each([
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["/absolute/path.txt", "path.txt"],
    ["folder/", "folder"],
    ["a\0b.txt", "ab.txt"],
    ["line\nbreak.txt", "linebreak.txt"],
    ["evil\u202efdp.exe", "evilfdp.exe"],
    ["what?.txt", "what_.txt"],
    ["CON", "_CON"],
    ["nul.tar.gz", "_nul.tar.gz"],
    ["console.log", "console.log"],
    [".env", ".env"],
    ["  spaced  .txt. ", "spaced  .txt"],
    ["über 100 %.csv", "über 100 %.csv"],
  ])("of %j is %j", (given, name) => {
    expect(cleanFileName(given)).toBe(name);
  });

  test.each(["", ".", "..", "../..", "...", " ", "/", "\\", "\0", "\n", "./ /."])(
    "of %j is nothing",
    (given) => {
      expect(cleanFileName(given)).toBe("");
    },
  );
});

describe("a name that is too long", () => {
  test("is cut between characters to the longest that is stored", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 150, maxLength: 400 }), (given) => {
        const name = fitFileName(cleanFileName(given));
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(longestNameBytes);
        expect(name.isWellFormed()).toBe(true);
      }),
    );
  });

  test("keeps its extension, unless that is as long itself", () => {
    const name = fitFileName(`${"é".repeat(300)}.pdf`);
    expect(name).toMatch(/^é+\.pdf$/);
    expect(Buffer.byteLength(name)).toBe(longestNameBytes);
    expect(fitFileName(`a.${"x".repeat(300)}`)).toBe(`a.${"x".repeat(longestNameBytes - 2)}`);
  });
});

describe("the name of a download", () => {
  test("begins with its time in UTC, which can be taken off again", () => {
    const prefix = timePrefix(new Date("2026-11-24T01:02:03.999Z"));
    expect(prefix).toBe("2026_11_24_01_02_03-");
    expect(withoutTimePrefix(`${prefix}report.pdf`)).toBe("report.pdf");
    expect(withoutTimePrefix("2026-report.pdf")).toBe("2026-report.pdf");
  });

  test("is numbered before its extension", () => {
    expect(numberedName("report.pdf", 2)).toBe("report (2).pdf");
    expect(numberedName("README", 3)).toBe("README (3)");
    expect(numberedName(".env", 2)).toBe(".env (2)");
  });
});

test("an extension starts at the last dot that has something before it", () => {
  expect(extensionOf("a.tar.gz")).toBe(".gz");
  expect(extensionOf(".env")).toBe("");
  expect(extensionOf("README")).toBe("");
});
