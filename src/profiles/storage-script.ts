import { z } from "zod";
import { globalNameOf, installerOf } from "../pages/driver/in-page-scripts.ts";
import { siteSchema } from "./browser-state.ts";
import type { ReadAnswer, ReadRequest, WriteAnswer, WriteRequest } from "./site-protocol.ts";

/** Sends a CDP command to one page. */
export type SendToPage = (method: string, params?: object, timeoutMs?: number) => Promise<unknown>;

const readAnswerSchema: z.ZodType<ReadAnswer> = z.object({
  site: siteSchema,
  unread: z.array(z.string()),
  leftOut: z.array(z.string()),
});

const writeAnswerSchema: z.ZodType<WriteAnswer> = z.object({ leftOut: z.array(z.string()) });

/** What an answer may have beside the storage that it tells of: names of databases, and what was left out. */
const mostBytesBeside = 256 * 1024;

/** What an origin keeps. */
export interface ReadSite {
  readonly answer: ReadAnswer;
  /** Characters of JSON. */
  readonly size: number;
}

/**
 * Reads what the origin of a page keeps. `contextId`: the world to read it in, the page's own unless
 * given. Throws where the page does not answer in time, may keep nothing, or answers more
 * than it was asked for.
 */
export async function readSite(
  send: SendToPage,
  request: ReadRequest,
  options: { readonly contextId?: number; readonly timeoutMs: number },
): Promise<ReadSite> {
  const text = z.string().parse(await call(send, "read", request, options));
  // The process of a page may lie; parsing takes several times as much room as the text.
  if (text.length > request.mostBytes + mostBytesBeside) throw new Error("the answer is too large");
  return { answer: readAnswerSchema.parse(JSON.parse(text)), size: text.length };
}

/** Makes the origin of a page keep something. Throws like `readSite`. */
export async function writeSite(
  send: SendToPage,
  request: WriteRequest,
  options: { readonly timeoutMs: number },
): Promise<WriteAnswer> {
  return writeAnswerSchema.parse(await call(send, "write", request, options));
}

const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown() }),
  exceptionDetails: z
    .object({ exception: z.object({ description: z.string() }).optional() })
    .optional(),
});

async function call(
  send: SendToPage,
  name: "read" | "write",
  request: ReadRequest | WriteRequest,
  { contextId, timeoutMs }: { readonly contextId?: number; readonly timeoutMs: number },
): Promise<unknown> {
  const installer = await installerOf("storage");
  const argument = JSON.stringify(request);
  const params = {
    expression: `${installer}; ${globalNameOf("storage")}.${name}(JSON.parse(${JSON.stringify(argument)}))`,
    awaitPromise: true,
    returnByValue: true,
    ...(contextId === undefined ? {} : { contextId }),
  };
  const answer = evaluatedSchema.parse(await send("Runtime.evaluate", params, timeoutMs));
  if (answer.exceptionDetails === undefined) return answer.result.value;
  const [line] = (answer.exceptionDetails.exception?.description ?? "").split("\n", 1);
  throw new Error(line === "" ? "the script failed" : line);
}
