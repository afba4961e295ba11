import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { PortTakenError } from "./browser-process.ts";
import { isDevtoolsPort, withFreeDevtoolsPort } from "./devtools-ports.ts";

test("a port is nobody else's while a browser is launched on it", async () => {
  const inUse = new Set<number>();
  await Promise.all(
    Array.from({ length: 200 }, () =>
      withFreeDevtoolsPort(async (port) => {
        expect(isDevtoolsPort(port)).toBe(true);
        expect(inUse.has(port)).toBe(false);
        inUse.add(port);
        const server = createServer().listen(port, "127.0.0.1");
        await once(server, "listening");
        server.close();
        await once(server, "close");
        inUse.delete(port);
      }),
    ),
  );
});

test("a launch that lost its port to another process gets another one", async () => {
  const ports: number[] = [];
  const answer = await withFreeDevtoolsPort(async (port) => {
    ports.push(port);
    if (ports.length < 3) throw new PortTakenError("taken", "", null);
    return "launched";
  });
  expect(answer).toBe("launched");
  expect(new Set(ports).size).toBe(3);
});

test("a launch that loses every port, or fails for another reason, fails", async () => {
  let attempts = 0;
  const losing = withFreeDevtoolsPort(() => {
    attempts += 1;
    return Promise.reject(new PortTakenError("taken", "", null));
  });
  await expect(losing).rejects.toThrow("taken");
  expect(attempts).toBe(5);
  attempts = 0;
  const failing = withFreeDevtoolsPort(() => {
    attempts += 1;
    return Promise.reject(new Error("no memory"));
  });
  await expect(failing).rejects.toThrow("no memory");
  expect(attempts).toBe(1);
});
