import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { PortTakenError, spawnBrowser } from "./browser-process.ts";
import { findChromium } from "./chromium.ts";
import { noMemoryCaps } from "./memory-cap.ts";

test("a browser whose port another process has is ended at once, with the reason", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "nightjar-port-"));
  const { headlessShell, chromium } = await findChromium({
    chromiumPath: null,
    headlessShellPath: null,
    dataDir: directory,
  });
  const executable = headlessShell ?? chromium;
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    const launch = spawnBrowser(
      {
        path: executable?.path ?? "",
        args: [
          "--headless",
          "--no-sandbox",
          `--remote-debugging-port=${port}`,
          `--user-data-dir=${path.join(directory, "profile")}`,
        ],
        user: null,
        directory,
        timeoutMs: 20_000,
        memoryCap: noMemoryCaps.create("", null),
      },
      () => {},
    );
    const error = await launch.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PortTakenError);
    const { processGroup } = error as PortTakenError;
    await expect.poll(() => isAlive(processGroup ?? 0), { timeout: 5000 }).toBe(false);
  } finally {
    other.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 20 });
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
