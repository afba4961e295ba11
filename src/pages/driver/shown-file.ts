import { messageOf } from "../../sessions/errors.ts";
import { readStream } from "./cdp-stream.ts";
import type { DrivenPage } from "./driven-page.ts";
import type { FrameWorld } from "./frame-tracker.ts";

export interface FileLimits {
  readonly mostBytes: number;
  readonly timeoutMs: number;
}

/** The file, or a sentence's end that says why there is none. */
export type FetchedFile = { readonly bytes: Buffer } | { readonly error: string };

/**
 * Fetches what a tab shows instead of a page once more, e.g. a PDF: by the browser, so with its
 * cookies and by its way out.
 */
export async function fetchShown(
  page: DrivenPage,
  main: FrameWorld,
  limits: FileLimits,
): Promise<FetchedFile> {
  const url = page.page.url();
  // What the file's server forbids pages, e.g. to connect anywhere, does not bind the browser.
  if (/^https?:/i.test(url)) return loaded(page, url, limits);
  const answer = await page
    .evaluate<InPageAnswer>(main, main.contextId, fetchScript(url, limits), limits.timeoutMs)
    .catch((error: unknown): InPageAnswer => ({ error: messageOf(error).split("\n", 1)[0] ?? "" }));
  return "error" in answer ? answer : { bytes: Buffer.from(answer.data, "base64") };
}

async function loaded(
  page: DrivenPage,
  url: string,
  { mostBytes, timeoutMs }: FileLimits,
): Promise<FetchedFile> {
  try {
    const { resource } = await page.connection.command(
      "Network.loadNetworkResource",
      {
        // A tab's main frame has its id.
        frameId: page.targetId,
        url,
        options: { disableCache: false, includeCredentials: true },
      },
      { sessionId: page.sessionId, timeoutMs },
    );
    const { success, httpStatusCode, netErrorName, stream } = resource;
    const bytes =
      stream === undefined ? Buffer.alloc(0) : await readStream(page, stream, mostBytes, timeoutMs);
    if (!success || stream === undefined) {
      return {
        error:
          httpStatusCode === undefined || httpStatusCode === 0
            ? `it does not load${netErrorName === undefined ? "" : ` (${netErrorName})`}`
            : `the server answers ${httpStatusCode}`,
      };
    }
    return bytes === null ? { error: `it is larger than ${mostBytes} bytes` } : { bytes };
  } catch (error) {
    return { error: messageOf(error).split("\n", 1)[0] ?? "" };
  }
}

type InPageAnswer = { readonly data: string } | { readonly error: string };

function fetchScript(url: string, { mostBytes }: FileLimits): string {
  return `(async () => {
    const response = await fetch(${JSON.stringify(url)}, { credentials: "include" });
    if (!response.ok) return { error: "the server answers " + response.status };
    const content = await response.blob();
    if (content.size > ${mostBytes}) return { error: "it is larger than ${mostBytes} bytes" };
    const data = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(content);
    });
    return { data: data.slice(data.indexOf(",") + 1) };
  })()`;
}
