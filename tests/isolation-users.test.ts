import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCgroupPlace } from "../src/browsers/cgroup-place.ts";
import { serverMark } from "../src/browsers/server-mark.ts";
import { asUser } from "./support/as-user.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { mainProcesses } from "./support/processes.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

/** One browser as the system sees it. */
interface Place {
  readonly directory: string;
  readonly uid: number;
  readonly pid: number;
  readonly devtoolsPort: number;
  readonly proxyPort: number;
}

const secret = "planted-in-the-environment-of-the-server";

/**
 * What code can do that runs with the rights of a session's user: what a page has that broke out of
 * Chromium, sandbox and all.
 */
describe.runIf(process.getuid?.() === 0 && process.platform === "linux")(
  "code with the user id of a session",
  () => {
    let server: Nightjar;
    let mine: Place;
    let other: Place;

    beforeAll(async () => {
      server = await Nightjar.start({
        NIGHTJAR_FIREWALL: "auto",
        NIGHTJAR_FIRST_UID: "71000",
        NIGHTJAR_WARM_POOL: "0",
        NIGHTJAR_MODEL_KEY: secret,
      });
      for (const name of ["mine", "other"]) {
        const { cdpUrl } = await server.startSession();
        const client = await RawCdp.connect(cdpUrl);
        // Makes the browser write cookies and files of its own.
        await client.evaluate(`document.title = "${name}"`);
        client.close();
      }
      const places = [...(await mainProcesses(server.dataDir))].map(async ([id, entry]) => {
        const directory = path.join(server.dataDir, "browsers", id);
        const portAfter = (flag: string): number =>
          Number(new RegExp(`${flag}(\\d+)`).exec(entry.commandLine)?.[1]);
        return {
          directory,
          uid: (await stat(directory)).uid,
          pid: entry.pid,
          devtoolsPort: portAfter("--remote-debugging-port="),
          proxyPort: portAfter("--proxy-server=127.0.0.1:"),
        };
      });
      const [first, second] = await Promise.all(places);
      if (first === undefined || second === undefined) throw new Error("not two browsers");
      mine = first;
      other = second;
    }, 60_000);

    afterAll(async () => {
      await server?.dispose();
    });

    /** How reading each of these files or directories ends: its size, or the error's code. */
    function reading(files: readonly string[]): Promise<Record<string, number | string>> {
      return asUser(
        mine.uid,
        async (paths) => {
          const { readdir, readFile, stat } = process.getBuiltinModule("node:fs/promises");
          const entries = paths.map(async (file) => {
            const read = async () =>
              (await stat(file)).isDirectory()
                ? (await readdir(file)).length
                : (await readFile(file)).length;
            return [file, await read().catch((error) => error.code)];
          });
          return Object.fromEntries(await Promise.all(entries));
        },
        files,
      );
    }

    test("reads its own browser's files, and no other session's nor the server's", async () => {
      const profile = path.join(mine.directory, "profile");
      expect((await reading([profile]))[profile]).toBeGreaterThan(0);
      const [state] = (await readdir(path.join(other.directory, "profile"))).filter(
        (name) => name !== "SingletonLock",
      );
      const closed = [
        other.directory,
        path.join(other.directory, "profile"),
        path.join(other.directory, "profile", state ?? ""),
        path.join(other.directory, "downloads"),
        ...["nightjar.db", "nightjar.db-wal", "server.lock", "files", "recordings"].map((name) =>
          path.join(server.dataDir, name),
        ),
        server.dataDir,
        path.join(server.dataDir, "browsers"),
      ];
      const answers = await reading(closed);
      for (const file of closed) expect(answers[file], file).toBe("EACCES");
    });

    test("reads its own browser's environment, which holds none of the server's secrets", async () => {
      const environment = await asUser(
        mine.uid,
        async (pid) => {
          const { readFile } = process.getBuiltinModule("node:fs/promises");
          return readFile(`/proc/${pid}/environ`, "latin1");
        },
        mine.pid,
      );
      expect(environment).toContain(`HOME=${mine.directory}`);
      expect(environment).not.toContain("NIGHTJAR");
      expect(environment).not.toContain(testKey);
      expect(environment).not.toContain(secret);
    });

    test("reads no environment, memory, descriptor or root of another session's browser or the server", async () => {
      const closed = [other.pid, server.pid].flatMap((pid) =>
        ["environ", "mem", "maps", "fd", "cwd", "root"].map((name) => `/proc/${pid}/${name}`),
      );
      const answers = await reading(closed);
      for (const file of closed) expect(answers[file], file).toBe("EACCES");
    });

    test("signals nobody else's processes, and writes nowhere beside its directory", async () => {
      const answer = await asUser(
        mine.uid,
        async ({ pids, directories }) => {
          const { mkdir } = process.getBuiltinModule("node:fs/promises");
          const signals = pids.map((pid) => {
            try {
              process.kill(pid, 0);
              return "sent";
            } catch (error) {
              return (error as NodeJS.ErrnoException).code;
            }
          });
          const writes = directories.map((directory) =>
            mkdir(`${directory}/planted`).then(
              () => "made",
              (error) => error.code,
            ),
          );
          return { signals, writes: await Promise.all(writes) };
        },
        {
          pids: [mine.pid, other.pid, server.pid],
          directories: [
            other.directory,
            path.join(server.dataDir, "browsers"),
            server.dataDir,
            path.join(server.dataDir, "files"),
          ],
        },
      );
      expect(answer).toEqual({
        signals: ["sent", "EPERM", "EPERM"],
        writes: ["EACCES", "EACCES", "EACCES", "EACCES"],
      });
    });

    test("does not leave its memory cgroup, nor raise its limit", async (context) => {
      const place = findCgroupPlace();
      if (place === null) return context.skip();
      const cgroup = path.join(
        place.directory,
        serverMark(server.dataDir),
        path.basename(mine.directory),
      );
      const limit = place.version === "v1" ? "memory.limit_in_bytes" : "memory.max";
      const writing = await asUser(
        mine.uid,
        async (files) => {
          const { writeFile } = process.getBuiltinModule("node:fs/promises");
          const writes = files.map((file) =>
            writeFile(file, file.endsWith("procs") ? String(process.pid) : "99999999999").then(
              () => "written",
              (error) => error.code,
            ),
          );
          return Promise.all(writes);
        },
        [`${cgroup}/${limit}`, `${place.directory}/cgroup.procs`],
      );
      expect(writing).toEqual(["EACCES", "EACCES"]);
    });

    async function hasFirewall(): Promise<boolean> {
      return (await server.call("GET", "/health")).body["devtools_closed"] === true;
    }

    /** How connecting to a port of this machine ends. Stands alone, so that it can run as anyone. */
    const connecting = async (port: number): Promise<string> => {
      const { connect } = process.getBuiltinModule("node:net");
      return new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => resolve("connected"));
        socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
        socket.setTimeout(5000, () => resolve("no answer"));
        socket.unref();
      });
    };

    test("reaches its own proxy and nothing else, where the system has a firewall", async (context) => {
      if (!(await hasFirewall())) return context.skip();
      expect(await asUser(mine.uid, connecting, mine.proxyPort)).toBe("connected");
      expect(await asUser(mine.uid, connecting, other.proxyPort)).toBe("ECONNREFUSED");
      // The server itself answers others here.
      const ownPort = Number(new URL(server.url).port);
      expect(await connecting(ownPort)).toBe("connected");
      expect(await asUser(mine.uid, connecting, ownPort)).toBe("ECONNREFUSED");
      const sending = async (port: number): Promise<string> => {
        const socket = process.getBuiltinModule("node:dgram").createSocket("udp4");
        return new Promise((resolve) => {
          socket.send("packet", port, "127.0.0.1", (error) => {
            resolve(error === null ? "sent" : ((error as NodeJS.ErrnoException).code ?? ""));
            socket.close();
          });
        });
      };
      expect(await sending(ownPort)).toBe("sent");
      expect(await asUser(mine.uid, sending, ownPort)).not.toBe("sent");
    });

    test("reaches no DevTools port, its own browser's neither, where the system has a firewall", async (context) => {
      if (!(await hasFirewall())) return context.skip();
      for (const { devtoolsPort } of [mine, other]) {
        // The server, which is root as this test is, reaches it.
        expect(await connecting(devtoolsPort)).toBe("connected");
        expect(await asUser(mine.uid, connecting, devtoolsPort)).toBe("ECONNREFUSED");
        expect(await asUser(65_534, connecting, devtoolsPort)).toBe("ECONNREFUSED");
      }
    });

    test("connects to nothing beside the browsers' proxies, where the system has a firewall", async (context) => {
      const { body } = await server.call("GET", "/health");
      if (body["devtools_closed"] !== true) return context.skip();
      const site = await Site.start(pageTitledByPath);
      const datagrams = createSocket("udp4").bind(0, "127.0.0.1");
      await once(datagrams, "listening");
      let heard = 0;
      datagrams.on("message", () => {
        heard += 1;
      });
      const ports = {
        api: Number(new URL(server.url).port),
        site: Number(new URL(site.url).port),
        udp: datagrams.address().port,
      };
      const reached = await asUser(
        mine.uid,
        async ({ api, site, udp }) => {
          const { connect } = process.getBuiltinModule("node:net");
          const { createSocket } = process.getBuiltinModule("node:dgram");
          const connecting = (host: string, port: number) =>
            new Promise((resolve) => {
              const socket = connect(port, host, () => resolve("connected"));
              socket.on("error", () => resolve("refused"));
              socket.setTimeout(5000, () => resolve("no answer"));
              socket.unref();
            });
          const sender = createSocket("udp4");
          const sent = await new Promise((resolve) => {
            sender.send("hello", udp, "127.0.0.1", (error) => resolve(error?.message ?? "sent"));
          });
          sender.close();
          return {
            tcp: [await connecting("127.0.0.1", api), await connecting("127.0.0.1", site)],
            // TEST-NET-1: nothing is there, and nothing of ours would know.
            outside: await connecting("192.0.2.1", 80),
            sent,
          };
        },
        ports,
      );
      expect(reached).toMatchObject({ tcp: ["refused", "refused"], outside: "refused" });
      expect(heard).toBe(0);
      // The browser itself goes on to get there, by its proxy.
      const { cdpUrl } = await server.startSession();
      const client = await RawCdp.connect(cdpUrl);
      await client.send("Page.navigate", { url: site.url }, await client.firstPage());
      await expect.poll(() => client.evaluate("document.title"), { timeout: 10_000 }).toBe("/");
      client.close();
      datagrams.close();
      await site.stop();
    });
  },
);
