import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { BrowserLeaks } from "./browser-leaks.ts";
import { BrowserRegister } from "./browser-register.ts";
import { Egress, strictEgress } from "./egress/egress.ts";
import { BrowserUsers } from "./isolation.ts";
import { noMemoryCaps } from "./memory-cap.ts";
import { Reaper } from "./reaper.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function parts() {
  const browsersDirectory = await mkdtemp(path.join(tmpdir(), "nightjar-leaks-"));
  ends.push(() => rm(browsersDirectory, { recursive: true, force: true }));
  const register = new BrowserRegister();
  // Far from the ids that browsers have in other tests.
  const users = new BrowserUsers(1_900_000_000, true);
  const egress = new Egress(strictEgress);
  const reaper = new Reaper(register, users, noMemoryCaps, () => {});
  const memoryCaps = noMemoryCaps;
  const leaks = new BrowserLeaks({
    browsersDirectory,
    register,
    users,
    memoryCaps,
    egress,
    reaper,
  });
  return { register, users, egress, leaks };
}

test("a user id that no browser has is found and given back", async () => {
  const { register, users, leaks } = await parts();
  const [lost, used] = [await users.take(), await users.take()];
  register.enter("used", used?.uid ?? null);
  const found = await leaks.find();
  expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual([`uid ${lost?.uid}`]);
  for (const leak of found) await leak.repair();
  expect(users.taken).toEqual([used?.uid]);
  expect(await leaks.find()).toEqual([]);
});

test("a way out that no browser has is found and closed", async () => {
  const { register, egress, leaks } = await parts();
  const [lost, used] = [await egress.open(null), await egress.open(null)];
  ends.push(() => used.close());
  register.enter("used", null).proxyPort = used.port;
  const found = await leaks.find();
  expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual([`port ${lost.port}`]);
  for (const leak of found) await leak.repair();
  await expect.poll(() => canConnect(lost.port)).toBe(false);
  expect(await canConnect(used.port)).toBe(true);
  expect(await leaks.find()).toEqual([]);
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
