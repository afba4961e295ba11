import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FaultLab } from "../support/fault-lab.ts";
import { RawCdp } from "../support/raw-cdp.ts";
import { Site } from "../support/site.ts";

/** The longest that any call may take, in ms: official clients give up after 45 s. */
const answeredWithinMs = 45_000;

const pages: Readonly<Record<string, string>> = {
  "/workers": `<button>Go</button><script>
    const source = URL.createObjectURL(new Blob(["for (;;) {}"]));
    for (let i = 0; i < 40; i += 1) new Worker(source);
  </script>`,
  "/alerts": `<button>Go</button><script>setInterval(() => { for (;;) alert("again"); }, 0)</script>`,
  "/endless-script": `<button>Go</button><script>setTimeout(() => { for (;;) {} }, 50)</script>`,
  "/navigates": `<button>Go</button><script>setTimeout(() => location.replace("/navigates?" + Math.random()), 20)</script>`,
  "/mutates": `<button>Go</button><script>
    setInterval(() => { for (let i = 0; i < 200; i += 1) document.body.append(document.createElement("button")); }, 10);
    setInterval(() => { while (document.body.children.length > 2000) document.body.lastChild.remove(); }, 10);
  </script>`,
  "/history": `<button>Go</button><script>setInterval(() => history.pushState(null, "", "?" + Math.random()), 1)</script>`,
  "/noise": `<button>Go</button><script>setInterval(() => { for (let i = 0; i < 100; i += 1) console.log("x".repeat(1000), i); }, 5)</script>`,
  "/storm": `<button>Go</button><script>setInterval(() => { for (let i = 0; i < 50; i += 1) fetch("/small?" + Math.random()).catch(() => {}); }, 20)</script>`,
  "/downloads": `<button>Go</button><script>
    setInterval(() => { const a = document.createElement("a"); a.href = "/endless-file?" + Math.random(); a.download = "x"; a.click(); }, 200);
  </script>`,
};

describe("A hostile page", { tags: ["long"] }, () => {
  let lab: FaultLab;
  let site: Site;

  beforeAll(async () => {
    site = await Site.start((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://site");
      if (pathname === "/endless-file") {
        response.setHeader("Content-Type", "application/octet-stream");
        const chunk = Buffer.alloc(256 * 1024);
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once("drain", more);
        };
        more();
        return;
      }
      if (pathname === "/never-ends") {
        response.setHeader("Content-Type", "text/html");
        response.write("<!doctype html><title>Never</title><button>Go</button>");
        return;
      }
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><title>${pathname}</title>${pages[pathname] ?? "small"}`);
    });
    lab = await FaultLab.start({
      NIGHTJAR_MAX_SESSIONS: "8",
      NIGHTJAR_MAX_FILE_MB: "5",
      NIGHTJAR_MAX_FILES_MB: "20",
    });
  });

  afterAll(async () => {
    await lab.dispose();
    await site.stop();
  });

  /** Opens the page, and looks and clicks as an agent would; answers how each call ended. */
  async function operate(id: string, url: string, looks: boolean): Promise<readonly number[]> {
    const call = async (path: string, body: object): Promise<number> => {
      const begun = performance.now();
      const { status } = await lab.server.call("POST", `/sessions/${id}/page/${path}`, { body });
      expect(performance.now() - begun).toBeLessThan(answeredWithinMs);
      return status;
    };
    return [
      await call("execute", { type: "goto", url }),
      ...(looks ? [await call("observe", {})] : []),
      await call("execute", { type: "click", selector: "button", timeout: 3000 }),
    ];
  }

  /** Operates the page, then stops its session; answers the session's id. */
  async function operateAndStop(path: string, looks: boolean): Promise<string> {
    const { id } = await lab.server.startSession();
    for (const status of await operate(id, `${site.url}${path}`, looks)) {
      // What a page does not let be done is said; it is never the server's failure.
      expect([200, 502], path).toContain(status);
    }
    await lab.checkOthersServed();
    const stopped = await lab.server.call("DELETE", `/sessions/${id}/stop`);
    expect(stopped.status).toBe(200);
    return id;
  }

  // What these do is to be waited for, mostly, so they do it side by side.
  test("that never ends loading, navigates, downloads or changes without end is operated or refused, and stopped like any other", {
    timeout: 150_000,
  }, async () => {
    const paths = ["/never-ends", "/navigates", "/history", "/downloads", "/mutates"];
    const ids = await Promise.all(paths.map((path) => operateAndStop(path, true)));
    await lab.expectUnharmed(Object.fromEntries(ids.map((id) => [id, "client_stop"])));
  });

  // These take all the CPU there is, as long as they are looked at.
  test.each(["/alerts", "/endless-script", "/workers", "/noise", "/storm"])(
    "%s is operated or refused, and stopped like any other",
    { timeout: 150_000 },
    async (path) => {
      const id = await operateAndStop(path, false);
      await lab.expectUnharmed({ [id]: "client_stop" });
    },
  );

  test("that opens two hundred tabs holds up nobody else", { timeout: 150_000 }, async () => {
    const { id, cdpUrl } = await lab.server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    const opened = Array.from({ length: 200 }, () =>
      client.send("Target.createTarget", { url: `${site.url}/small` }),
    );
    await lab.checkOthersServed();
    await Promise.all(opened);
    await vi.waitFor(async () => expect((await client.pages()).length).toBe(201), {
      timeout: 20_000,
    });
    await lab.server.call("DELETE", `/sessions/${id}/stop`);
    client.close();
    await lab.expectUnharmed({ [id]: "client_stop" });
  });
});
