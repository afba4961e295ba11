import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkedChromeArgs } from "./chrome-args.ts";

const refusal = expect.objectContaining({
  code: "invalid_request",
  issues: [expect.objectContaining({ location: ["body", "chrome_args"] })],
});

describe("the arguments of a client", () => {
  test("that change what pages see are added as they are, in their order", () => {
    const given = ["--hide-scrollbars", "--window-size=800,600", "--incognito"];
    expect(checkedChromeArgs(given)).toEqual(given);
  });

  test("that choose a language choose it for what servers see too, unless that is chosen apart", () => {
    expect(checkedChromeArgs(["--lang=de"])).toEqual(["--lang=de", "--accept-lang=de"]);
    const both = ["--accept-lang=fr", "--lang=de"];
    expect(checkedChromeArgs(both)).toEqual(both);
  });

  test("that every browser has already are left out without an error", () => {
    expect(checkedChromeArgs(["--disable-gpu", "--incognito", "--no-first-run"])).toEqual([
      "--incognito",
    ]);
  });

  test.each([
    "--no-sandbox",
    "--disable-setuid-sandbox",
    "--disable-web-security",
    "--disable-site-isolation-trials",
    "--allow-file-access-from-files",
    "--remote-debugging-port=9222",
    "--remote-debugging-address=0.0.0.0",
    "--remote-debugging-pipe",
    "--user-data-dir=/",
    "--load-extension=/tmp/a",
    "--proxy-server=1.2.3.4:80",
    "--host-resolver-rules=MAP * 127.0.0.1",
    "--renderer-cmd-prefix=/bin/sh",
    "--utility-cmd-prefix=/bin/sh",
    "--gpu-launcher=/bin/sh",
    "--js-flags=--allow-natives-syntax",
    "--enable-features=A",
    "--disable-features=B",
    "--single-process",
    "--log-file=/tmp/a",
    "--use-file-for-fake-video-capture=/etc/passwd",
    "--LANG=de",
    "-lang=de",
    " --lang=de",
    "--lang =de",
    "--lang\0=de",
    "--lang=de\0--no-sandbox",
    "https://example.com/",
    "file:///etc/passwd",
    "--",
    "",
  ])("is refused, naming the field: %j", (argument) => {
    expect(() => checkedChromeArgs(["--lang=de", argument])).toThrow(refusal);
  });

  test.each([
    // MojoJS lets any page talk to the browser process: the way out of the sandbox.
    "--enable-blink-features=MojoJS",
    "--enable-blink-features=MojoJS,MojoJSTest",
    "--enable-blink-features=CSSContainerQueries,MojoJS",
    // The same as --disable-web-security.
    "--blink-settings=webSecurityEnabled=false",
    "--blink-settings=imagesEnabled=false,allowUniversalAccessFromFileURLs=true",
  ])("is refused when its value weakens isolation: %s", (argument) => {
    expect(() => checkedChromeArgs([argument])).toThrow(refusal);
  });

  test("never come out other than as they went in", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (given) => {
        let accepted: readonly string[] = [];
        try {
          accepted = checkedChromeArgs(given);
        } catch (error) {
          expect(error).toEqual(refusal);
        }
        expect(given).toEqual(expect.arrayContaining([...accepted]));
      }),
    );
  });
});
