import type { DrivenPage } from "./driven-page.ts";

/** How much is asked for at once. */
const partBytes = 1024 * 1024;

/** Reads a stream of the browser to its end and closes it; null where it has more than `mostBytes`. */
export async function readStream(
  page: DrivenPage,
  handle: string,
  mostBytes: number,
  timeoutMs: number,
): Promise<Buffer | null> {
  const options = { sessionId: page.sessionId, timeoutMs };
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { data, base64Encoded, eof } = await page.connection.command(
        "IO.read",
        { handle, size: partBytes },
        options,
      );
      const part = Buffer.from(data, base64Encoded === true ? "base64" : "utf8");
      parts.push(part);
      bytes += part.length;
      if (bytes > mostBytes) return null;
      if (eof) return Buffer.concat(parts);
    }
  } finally {
    void page.connection.command("IO.close", { handle }, options).catch(() => {});
  }
}
