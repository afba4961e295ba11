import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CdpDecision, decideCdpMessage } from "./cdp-policy.ts";

const directory = "/var/lib/nightjar/browsers/0b5e";

function decide(
  method: string,
  params: Record<string, unknown> = {},
  where: string | null = directory,
): CdpDecision {
  return decideCdpMessage(JSON.stringify({ id: 7, method, params, sessionId: "S" }), where);
}

/** The decision's own JSON: the answer to the client, or what the browser gets instead. */
function jsonOf(decision: CdpDecision): unknown {
  switch (decision.kind) {
    case "pass":
      return null;
    case "rewrite":
      return JSON.parse(decision.message);
    case "refuse":
    case "end":
      return JSON.parse(decision.answer);
  }
}

function nested(message: unknown): Record<string, unknown> {
  return { sessionId: "inner", message: JSON.stringify(message) };
}

describe("what a client may send", () => {
  test("passes untouched when it is none of the policy's business", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Runtime.evaluate", "DOM.getDocument", "Input.insertText", "Page.enable"),
        fc.dictionary(
          fc.string().filter((key) => key !== "url" && key !== "files" && key !== "data"),
          fc.jsonValue(),
        ),
        (method, params) => {
          expect(decide(method, params)).toEqual({ kind: "pass" });
        },
      ),
    );
  });

  test.each([
    "https://example.com/",
    "about:blank",
    "data:text/html,file:///etc/passwd",
    "view-source:https://example.com/",
    "blob:https://example.com/1",
    "https://example.com/?next=file:///etc/passwd",
    "javascript:1",
    "",
  ])("may go to %j", (url) => {
    expect(decide("Page.navigate", { url })).toEqual({ kind: "pass" });
  });

  test("may be anything that is no command: the browser itself answers it", () => {
    for (const text of ["[]", "null", "1", '{"id":1}', '{"id":1,"method":5}']) {
      expect(decideCdpMessage(text, directory)).toEqual({ kind: "pass" });
    }
  });
});

describe("the end of the browser", () => {
  test("is answered as Chromium would and ends the session", () => {
    const decision = decide("Browser.close");
    expect(decision.kind).toBe("end");
    expect(jsonOf(decision)).toEqual({ id: 7, result: {}, sessionId: "S" });
  });

  test("is recognized in every spelling that JSON allows", () => {
    for (const text of [
      '{"id":1,"method":"\\u0042rowser.close"}',
      '{"id":1,"\\u006dethod":"Browser\\u002eclose"}',
      ' \n\t{ "params" : { } , "method" : "Browser.close" , "id" : 1 } ',
      '{"id":1,"method":"Browser.close","params":[]}',
      '{"id":1,"method":"Browser.close","unknown":{"method":"Page.enable"}}',
    ]) {
      expect(decideCdpMessage(text, directory).kind, text).toBe("end");
    }
  });

  test("is recognized inside Target.sendMessageToTarget, at any depth", () => {
    const close = { id: 1, method: "Browser.close" };
    expect(decide("Target.sendMessageToTarget", nested(close)).kind).toBe("end");
    const deeper = { id: 2, method: "Target.sendMessageToTarget", params: nested(close) };
    expect(decide("Target.sendMessageToTarget", nested(deeper)).kind).toBe("end");
  });

  test("is the session's also where the browser runs elsewhere", () => {
    expect(decide("Browser.close", {}, null).kind).toBe("end");
  });
});

describe("text that this server and Chromium could read differently", () => {
  // Chromium's CDP parser takes raw control characters inside strings, JSON.parse does not.
  test.each([
    '{"id":1,"method":"Browser.close","params":{"x":"\t"}}',
    '{"id":1,"method":"Page.navigate","params":{"url":"file:///etc/passwd","x":"\u0001"}}',
    '{"id":1,"method":"Page.navigate","params":{"url":"file:///etc/\npasswd"}}',
  ])("does not reach the browser as it is: %j", (text) => {
    expect(decideCdpMessage(text, directory).kind).not.toBe("pass");
  });

  test("is judged by the last value of a key that stands twice, as Chromium has it", () => {
    const file = '"url":"file:///etc/passwd"';
    const site = '"url":"https://example.com/"';
    const kindOf = (text: string): string => decideCdpMessage(text, directory).kind;
    expect(kindOf(`{"id":1,"method":"Page.navigate","params":{${site},${file}}}`)).toBe("refuse");
    expect(kindOf(`{"id":1,"method":"Page.navigate","params":{${file},${site}}}`)).toBe("pass");
    expect(kindOf('{"id":1,"method":"Browser.getVersion","method":"Browser.close"}')).toBe("end");
  });
});

describe("file URLs", () => {
  test.each([
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "FiLe:/etc/passwd",
    "file:etc/passwd",
    "file://localhost/etc/passwd",
    "file:\\\\\\etc\\passwd",
    "  file:///etc/passwd",
    "\u0000\u001f file:///etc/passwd",
    "fi\nle:///etc/passwd",
    "f\ti\rl\ne:///etc/passwd",
    "file\n:///etc/passwd",
    "view-source:file:///etc/passwd",
    "VIEW-SOURCE:FILE:///etc/passwd",
    "view-source: file:///etc/passwd",
    "view-source:view-source:file:///etc/passwd",
    "filesystem:file:///temporary/a",
    "blob:file:///a",
  ])("are refused in the disguise %j", (url) => {
    for (const method of ["Page.navigate", "Target.createTarget", "Network.loadNetworkResource"]) {
      const decision = decide(method, { url });
      expect(decision.kind, method).toBe("refuse");
      expect(jsonOf(decision)).toEqual({
        id: 7,
        sessionId: "S",
        error: { code: -32_000, message: expect.stringContaining("file:") },
      });
    }
  });

  test("are refused with any padding that the URL standard takes away", () => {
    const padding = fc.array(fc.constantFrom("\t", "\n", "\r"), { maxLength: 2 });
    const letters = [..."file:"].map((letter) => fc.constantFrom(letter, letter.toUpperCase()));
    fc.assert(
      fc.property(
        fc.tuple(...letters),
        fc.array(padding, { minLength: 5, maxLength: 5 }),
        (scheme, pads) => {
          const url = `${scheme.map((letter, index) => `${letter}${pads[index]?.join("")}`).join("")}///etc/passwd`;
          expect(decide("Page.navigate", { url }).kind).toBe("refuse");
        },
      ),
    );
  });

  test("are refused when they are escaped in the JSON, or nested in another command", () => {
    const escaped =
      '{"id":1,"method":"Page.navigate","params":{"\\u0075rl":"\\u0066ile:\\/\\/\\/a"}}';
    expect(decideCdpMessage(escaped, directory).kind).toBe("refuse");
    const inner = { id: 1, method: "Page.navigate", params: { url: "file:///etc/passwd" } };
    expect(decide("Target.sendMessageToTarget", nested(inner)).kind).toBe("refuse");
  });

  test("are refused as the bundle of an app to install", () => {
    const params = { manifestId: "https://a/", installUrlOrBundleUrl: "file:///a.swbn" };
    expect(decide("PWA.install", params).kind).toBe("refuse");
  });

  test("pass where the browser runs elsewhere, with files of its own", () => {
    expect(decide("Page.navigate", { url: "file:///etc/hosts" }, null).kind).toBe("pass");
  });
});

describe("download paths", () => {
  const methods = ["Browser.setDownloadBehavior", "Page.setDownloadBehavior"] as const;

  test.each(methods)("inside the session's directory pass (%s)", (method) => {
    for (const downloadPath of [
      directory,
      `${directory}/downloads/a`,
      `${directory}/a/../b`,
      "x",
    ]) {
      expect(decide(method, { behavior: "allow", downloadPath }).kind, downloadPath).toBe("pass");
    }
    expect(decide(method, { behavior: "deny" }).kind).toBe("pass");
  });

  test.each(methods)("outside it are refused (%s)", (method) => {
    for (const downloadPath of [
      "/etc",
      "/",
      `${directory}/..`,
      `${directory}/../other`,
      `${directory}-other`,
      "../other",
      "/playwright-artifacts-1/../etc",
      7,
      null,
      [directory],
    ]) {
      const decision = decide(method, { behavior: "allow", downloadPath });
      expect(decision.kind, String(downloadPath)).toBe("refuse");
    }
  });

  test.each([
    "/tmp/playwright-artifacts-Ab12Cd",
    "C:\\Users\\me\\AppData\\Local\\Temp\\playwright-artifacts-Ab12Cd",
    "/var/folders/x/playwright-artifacts-Ab12Cd",
  ])("that Playwright names on its own machine become the session's (%s)", (downloadPath) => {
    const params = { behavior: "allowAndName", browserContextId: "C", eventsEnabled: true };
    const decision = decide("Browser.setDownloadBehavior", { ...params, downloadPath });
    expect(decision.kind).toBe("rewrite");
    expect(jsonOf(decision)).toEqual({
      id: 7,
      method: "Browser.setDownloadBehavior",
      params: { ...params, downloadPath: `${directory}/downloads` },
      sessionId: "S",
    });
  });

  test("are rewritten inside a nested command, too", () => {
    const inner = {
      id: 1,
      method: "Page.setDownloadBehavior",
      params: { behavior: "allow", downloadPath: "/tmp/playwright-artifacts-A" },
    };
    const decision = decide("Target.sendMessageToTarget", nested(inner));
    expect(jsonOf(decision)).toMatchObject({
      method: "Target.sendMessageToTarget",
      params: {
        sessionId: "inner",
        message: JSON.stringify({
          ...inner,
          params: { behavior: "allow", downloadPath: `${directory}/downloads` },
        }),
      },
    });
  });
});

describe("files that a client gives to a page", () => {
  test("pass from the session's directory", () => {
    const files = [`${directory}/downloads/a.pdf`];
    expect(decide("DOM.setFileInputFiles", { files, nodeId: 1 }).kind).toBe("pass");
  });

  test("are refused from anywhere else, also beside ones that are fine", () => {
    const cut = `/etc/passwd\0/../..${directory}/x`;
    for (const file of ["/etc/passwd", `${directory}/../x`, 5, `${directory}/a/../../x`, cut]) {
      const files = [`${directory}/downloads/a.pdf`, file];
      expect(decide("DOM.setFileInputFiles", { files }).kind).toBe("refuse");
      expect(decide("Input.dispatchDragEvent", { data: { files } }).kind).toBe("refuse");
    }
  });

  test("are refused for an installed app", () => {
    const params = { manifestId: "https://a/", files: ["/etc/passwd"] };
    expect(decide("PWA.launchFilesInApp", params).kind).toBe("refuse");
  });

  test("are refused without repeating a name of any length", () => {
    const file = `/${"a".repeat(1_000_000)}`;
    const decision = decide("DOM.setFileInputFiles", { files: [file] });
    expect(JSON.stringify(jsonOf(decision)).length).toBeLessThan(10_000);
  });
});

describe("the browser's own pages", () => {
  test.each([
    "chrome://version",
    "CHROME://settings/downloads",
    "chrome:downloads",
    "chrome-untrusted://terminal",
    "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai/index.html",
    "devtools://devtools/bundled/inspector.html",
    "view-source:chrome://version",
    " ch\nrome://settings",
  ])("are refused: %j", (url) => {
    for (const method of ["Page.navigate", "Target.createTarget", "Fetch.continueRequest"]) {
      expect(decide(method, { url }).kind, method).toBe("refuse");
    }
    expect(decide("Page.navigate", { url }, null).kind).toBe("pass");
  });
});

describe("commands that reach the browser's machine", () => {
  test.each([
    ["SystemInfo.getInfo", {}],
    ["Browser.getBrowserCommandLine", {}],
    ["Target.openDevTools", { targetId: "T" }],
    ["Extensions.loadUnpacked", { path: "/usr/share/extension" }],
    ["Tethering.bind", { port: 28_000 }],
    ["PWA.install", { manifestId: "https://a/" }],
    ["Tracing.start", { perfettoConfig: "eA==" }],
    ["Tracing.start", { tracingBackend: "system" }],
  ])("are refused: %s %j", (method, params) => {
    expect(decide(method, params).kind).toBe("refuse");
    expect(decide("Target.sendMessageToTarget", nested({ id: 1, method, params })).kind).toBe(
      "refuse",
    );
  });

  test("are not those that clients trace with", () => {
    const params = { transferMode: "ReturnAsStream", traceConfig: { includedCategories: ["*"] } };
    expect(decide("Tracing.start", params)).toEqual({ kind: "pass" });
  });
});

test.each(["Target.exposeDevToolsProtocol", "Target.setRemoteLocations"])(
  "%s, which leads around this policy, is refused",
  (method) => {
    expect(decide(method).kind).toBe("refuse");
    expect(decide(method, {}, null).kind).toBe("refuse");
  },
);
