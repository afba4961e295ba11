import { get } from "node:http";
import { z } from "zod";
import { messageOf, NightjarError } from "../sessions/errors.ts";
import type { PageTarget } from "../sessions/ports.ts";
import type { CdpConnection } from "./cdp-connection.ts";

/** How long a page may take to be drawn, in ms. */
const screenshotTimeoutMs = 5000;

/** How long a browser may take to tell its tabs, in ms. */
const listTimeoutMs = 3000;

const listSchema = z.array(
  z.object({ id: z.string(), type: z.string(), title: z.string(), url: z.string() }),
);

/**
 * The tabs of a browser of ours, most recently used first: `/json/list` has that order, while
 * `Target.getTargets` has none.
 */
export function pagesByUse(devtoolsPort: number): Promise<readonly PageTarget[]> {
  return answered("list the tabs", () => fetchPages(devtoolsPort));
}

async function fetchPages(devtoolsPort: number): Promise<readonly PageTarget[]> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(
      {
        host: "127.0.0.1",
        port: devtoolsPort,
        path: "/json/list",
        signal: AbortSignal.timeout(listTimeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        response.on("error", reject);
      },
    );
    request.on("error", (error) => {
      const late = error.name === "AbortError" || error.name === "TimeoutError";
      reject(late ? new Error(`it did not answer within ${listTimeoutMs} ms`) : error);
    });
  });
  return listSchema
    .parse(JSON.parse(text))
    .filter((target) => target.type === "page")
    .map(({ id, title, url }) => ({ targetId: id, title, url }));
}

/** The tabs of any browser, in no particular order. */
export function pagesOf(connection: CdpConnection): Promise<readonly PageTarget[]> {
  return answered("list the tabs", async () => {
    const { targetInfos } = await connection.send("Target.getTargets", {
      filter: [{ type: "page" }, { exclude: true }],
    });
    return targetInfos.map(({ targetId, title, url }) => ({ targetId, title, url }));
  });
}

/** A PNG of the first tab's viewport. Throws `browser_unavailable`. */
export function takeScreenshot(
  connection: CdpConnection,
  pages: () => Promise<readonly PageTarget[]>,
): Promise<Buffer> {
  return answered("take a screenshot", async () => {
    const [page] = await pages();
    if (page === undefined) throw new Error("the browser has no open tab");
    const { sessionId } = await connection.send("Target.attachToTarget", {
      targetId: page.targetId,
      flatten: true,
    });
    try {
      const { data } = await connection.send(
        "Page.captureScreenshot",
        { format: "png" },
        { sessionId, timeoutMs: screenshotTimeoutMs },
      );
      return Buffer.from(data, "base64");
    } finally {
      void connection.send("Target.detachFromTarget", { sessionId }).catch(() => {});
    }
  });
}

/** Says of a browser that fails at `what` that it is unavailable, and why. */
async function answered<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NightjarError) throw error;
    throw new NightjarError(
      "browser_unavailable",
      `The browser failed to ${what}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
