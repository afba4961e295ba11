import type { BrowserSettings } from "../sessions/browser-settings.ts";
import type { CdpConnection } from "./cdp-connection.ts";

/** Target types that make requests or show pages, and so take headers and a viewport. */
const attachableTypes: ReadonlySet<string> = new Set([
  "page",
  "iframe",
  "worker",
  "service_worker",
  "shared_worker",
]);

/** What a session asks of each target of its browser. */
export type TargetSettings = Pick<BrowserSettings, "viewport" | "extraHttpHeaders">;

/** Whether these settings need something done to each target of the browser. */
export function needsTargetSettings(settings: TargetSettings): boolean {
  return settings.viewport !== null || Object.keys(settings.extraHttpHeaders).length > 0;
}

/**
 * Applies a session's viewport and extra headers to every page, frame and worker of its browser,
 * those to come included: each new target waits until it has them, so no request slips out before.
 * They hold as long as the connection does. Resolves when the targets that exist have them.
 */
export async function applyTargetSettings(
  connection: CdpConnection,
  settings: TargetSettings,
): Promise<void> {
  const firstTargets: Promise<void>[] = [];
  let handingOver = true;
  connection.on("Target.attachedToTarget", ({ sessionId, targetInfo, waitingForDebugger }) => {
    const work = attachableTypes.has(targetInfo.type)
      ? prepareTarget(connection, sessionId, targetInfo.type, settings)
      : Promise.resolve();
    const released = work.finally(async () => {
      if (waitingForDebugger) {
        await connection.send("Runtime.runIfWaitingForDebugger", undefined, { sessionId });
      }
    });
    if (handingOver) firstTargets.push(released);
    // A later target that closes meanwhile fails here, and nothing is lost.
    released.catch(() => {});
  });
  await autoAttach(connection, null);
  handingOver = false;
  await Promise.all(firstTargets);
}

async function autoAttach(connection: CdpConnection, sessionId: string | null): Promise<void> {
  await connection.send(
    "Target.setAutoAttach",
    { autoAttach: true, waitForDebuggerOnStart: true, flatten: true },
    sessionId === null ? {} : { sessionId },
  );
}

async function prepareTarget(
  connection: CdpConnection,
  sessionId: string,
  type: string,
  settings: TargetSettings,
): Promise<void> {
  const { viewport, extraHttpHeaders } = settings;
  const work: Promise<unknown>[] = [];
  if (viewport !== null && type === "page") {
    work.push(
      connection.send(
        "Emulation.setDeviceMetricsOverride",
        { width: viewport.width, height: viewport.height, deviceScaleFactor: 0, mobile: false },
        { sessionId },
      ),
    );
  }
  if (Object.keys(extraHttpHeaders).length > 0) {
    work.push(connection.send("Network.enable", {}, { sessionId }));
    work.push(
      connection.send(
        "Network.setExtraHTTPHeaders",
        { headers: { ...extraHttpHeaders } },
        { sessionId },
      ),
    );
  }
  // Frames of other sites and workers are targets beneath their page.
  if (type === "page" || type === "iframe") work.push(autoAttach(connection, sessionId));
  await Promise.all(work);
}
