import path from "node:path";
import { localSchemeOf } from "./local-urls.ts";

/** What becomes of a message that a client sends to its browser. */
export type CdpDecision =
  | { readonly kind: "pass" }
  /** Answered with a CDP error instead of passed on. */
  | { readonly kind: "refuse"; readonly answer: string }
  /** Passed on in another form. */
  | { readonly kind: "rewrite"; readonly message: string }
  /** The client asks for the end of the browser: the session ends, properly. */
  | { readonly kind: "end"; readonly answer: string };

interface CdpCommand {
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly sessionId: unknown;
}

/** Commands that would lead around this policy: a page or another host could then send CDP. */
const refusedCommands: ReadonlySet<string> = new Set([
  "Target.exposeDevToolsProtocol",
  "Target.setRemoteLocations",
]);

/** Commands that reach, or tell of, the machine that the browser runs on. */
const commandsOfTheHost: ReadonlySet<string> = new Set([
  // Both answer the command line: paths and ports of the host.
  "SystemInfo.getInfo",
  "Browser.getBrowserCommandLine",
  // Opens a page that may save files anywhere.
  "Target.openDevTools",
]);

const domainsOfTheHost: readonly string[] = [
  // Installs apps from files and opens files in them.
  "PWA.",
  // Loads extensions from any directory.
  "Extensions.",
  // Listens on ports of the host.
  "Tethering.",
];

/** As Chromium answers what it cannot parse (JSON-RPC 2.0, 5.1). */
const notJson: CdpDecision = {
  kind: "refuse",
  answer: JSON.stringify({
    error: { code: -32_700, message: "the message is not JSON" },
  }),
};

/** The JSON-RPC code that Chromium uses for "server error" (-32000). */
const serverError = -32_000;

/**
 * Looks at one message of a CDP client. `directory` is the only one that its browser may read and
 * write; null where the browser runs elsewhere, with files of its own.
 */
export function decideCdpMessage(text: string, directory: string | null): CdpDecision {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Chromium reads text that JSON.parse does not, e.g. raw control characters in strings: what is
    // not understood here must not be understood there.
    return notJson;
  }
  const command = commandOf(parsed);
  // What is no command the browser itself answers with an error.
  if (command === null) return { kind: "pass" };
  if (command.method === "Browser.close") return { kind: "end", answer: answer(command, {}) };
  if (refusedCommands.has(command.method)) {
    return refuse(command, `${command.method} is not available in a hosted session`);
  }
  if (command.method === "Target.createBrowserContext" && hasProxy(command.params)) {
    return refuse(
      command,
      "a context cannot have a proxy of its own in a hosted session; name it in the session's `proxies`",
    );
  }
  if (command.method === "Target.sendMessageToTarget") return decideNested(command, directory);
  if (directory === null) return { kind: "pass" };
  return decideFiles(command, directory);
}

/** Its traffic would go past the session's way out, if the browser let it go anywhere else at all. */
function hasProxy({ proxyServer, proxyBypassList }: CdpCommand["params"]): boolean {
  return [proxyServer, proxyBypassList].some((value) => value !== undefined && value !== "");
}

function decideFiles(command: CdpCommand, directory: string): CdpDecision {
  const { method, params } = command;
  if (isOfTheHost(command)) {
    return refuse(command, `${method} is not available in a hosted session`);
  }
  const scheme = localSchemeOf(params["url"]);
  if (scheme !== null) {
    return refuse(command, `${scheme} URLs are not available in a hosted session`);
  }
  if (method === "Browser.setDownloadBehavior" || method === "Page.setDownloadBehavior") {
    return decideDownloadPath(command, directory);
  }
  const files = method === "DOM.setFileInputFiles" ? params["files"] : draggedFiles(command);
  if (Array.isArray(files)) {
    const outside = files.find((file) => !isInside(file, directory));
    if (outside !== undefined) {
      return refuse(
        command,
        `the file ${shown(outside)} is outside the session's directory; pass its content instead`,
      );
    }
  }
  return { kind: "pass" };
}

function isOfTheHost({ method, params }: CdpCommand): boolean {
  if (commandsOfTheHost.has(method)) return true;
  if (domainsOfTheHost.some((domain) => method.startsWith(domain))) return true;
  // A configuration of the tracing service's own can name a file to write to, or the host's tracing.
  if (method !== "Tracing.start") return false;
  return params["perfettoConfig"] !== undefined || params["tracingBackend"] === "system";
}

function decideDownloadPath(command: CdpCommand, directory: string): CdpDecision {
  const { downloadPath } = command.params;
  // Playwright names a temporary folder of its own machine in every connection and would not
  // connect at all if that were refused.
  if (typeof downloadPath === "string" && isPlaywrightFolder(downloadPath)) {
    const params = { ...command.params, downloadPath: path.join(directory, "downloads") };
    return { kind: "rewrite", message: message(command, params) };
  }
  if (downloadPath === undefined || isInside(downloadPath, directory)) return { kind: "pass" };
  return refuse(
    command,
    `downloadPath must be inside the session's directory; got ${shown(downloadPath)}`,
  );
}

/** A value of the client's, for a message; of bounded length. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 200);
}

function isPlaywrightFolder(folder: string): boolean {
  return /^playwright-artifacts-/.test(folder.split(/[\\/]/).at(-1) ?? "");
}

/** A session that was attached without `flatten` carries its commands as text inside others. */
function decideNested(command: CdpCommand, directory: string | null): CdpDecision {
  const nested = command.params["message"];
  if (typeof nested !== "string") return { kind: "pass" };
  const decision = decideCdpMessage(nested, directory);
  switch (decision.kind) {
    case "rewrite": {
      const params = { ...command.params, message: decision.message };
      return { kind: "rewrite", message: message(command, params) };
    }
    case "refuse":
      return refuse(command, "the nested command is not available in a hosted session");
    case "end":
      return { kind: "end", answer: answer(command, {}) };
    case "pass":
      return decision;
  }
}

/** The files that a drag brings along (Input.dispatchDragEvent). */
function draggedFiles(command: CdpCommand): unknown {
  if (command.method !== "Input.dispatchDragEvent") return undefined;
  const { data } = command.params;
  return isRecord(data) ? data["files"] : undefined;
}

function isInside(file: unknown, directory: string): boolean {
  // Chromium reads a path up to the first null byte, so what follows would only be for our eyes.
  if (typeof file !== "string" || file.includes("\0")) return false;
  const resolved = path.resolve(directory, file);
  return resolved === directory || resolved.startsWith(`${directory}${path.sep}`);
}

function commandOf(parsed: unknown): CdpCommand | null {
  if (!isRecord(parsed) || typeof parsed["method"] !== "string") return null;
  const params = isRecord(parsed["params"]) ? parsed["params"] : {};
  return { id: parsed["id"], method: parsed["method"], params, sessionId: parsed["sessionId"] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function message(command: CdpCommand, params: Record<string, unknown>): string {
  const { id, method, sessionId } = command;
  return JSON.stringify({ id, method, params, sessionId });
}

function answer(command: CdpCommand, result: Record<string, unknown>): string {
  return JSON.stringify({ id: command.id, result, sessionId: command.sessionId });
}

function refuse(command: CdpCommand, reason: string): CdpDecision {
  const { id, sessionId } = command;
  const error = { code: serverError, message: reason };
  return { kind: "refuse", answer: JSON.stringify({ id, error, sessionId }) };
}
