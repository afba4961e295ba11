import { get } from "node:http";
import { z } from "zod";
import { messageOf, NightjarError } from "../sessions/errors.ts";
import type { PageTarget } from "../sessions/ports.ts";
import type { CdpConnection } from "./cdp-connection.ts";

/** How long a page may take to be drawn, in ms. */
const screenshotTimeoutMs = 5000;

const listSchema = z.array(
  z.object({ id: z.string(), type: z.string(), title: z.string(), url: z.string() }),
);

/**
 * The tabs of a browser of ours, most recently used first: `/json/list` has that order, while
 * `Target.getTargets` has none.
 */
export async function pagesByUse(devtoolsPort: number): Promise<readonly PageTarget[]> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(
      { host: "127.0.0.1", port: devtoolsPort, path: "/json/list", timeout: screenshotTimeoutMs },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        response.on("error", reject);
      },
    );
    request.on("timeout", () => request.destroy(new Error("the browser does not answer")));
    request.on("error", reject);
  });
  return listSchema
    .parse(JSON.parse(text))
    .filter((target) => target.type === "page")
    .map(({ id, title, url }) => ({ targetId: id, title, url }));
}

/** The tabs of any browser, in no particular order. */
export async function pagesOf(connection: CdpConnection): Promise<readonly PageTarget[]> {
  const { targetInfos } = await connection.send("Target.getTargets", {
    filter: [{ type: "page" }, { exclude: true }],
  });
  return targetInfos.map(({ targetId, title, url }) => ({ targetId, title, url }));
}

/** A PNG of a tab's viewport. Throws `browser_unavailable`. */
export async function takeScreenshot(
  connection: CdpConnection,
  pages: () => Promise<readonly PageTarget[]>,
): Promise<Buffer> {
  try {
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
  } catch (error) {
    throw new NightjarError(
      "browser_unavailable",
      `The screenshot could not be taken: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
