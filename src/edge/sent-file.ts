import path from "node:path";
import send from "@fastify/send";
import type { FastifyReply, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";

/**
 * Answers a file, or the part of it that the request asks for, with further `headers`. Throws
 * `range_not_satisfiable`, and what `missing` makes where the file is not there.
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: { readonly path: string; readonly sizeBytes: number },
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly missing: () => NightjarError;
  },
): Promise<FastifyReply> {
  const sent = await send(request.raw, `/${encodeURIComponent(path.basename(file.path))}`, {
    root: path.dirname(file.path),
    dotfiles: "allow",
    index: false,
    contentType: false,
    cacheControl: false,
  });
  if (sent.type !== "file" && sent.statusCode === 416) {
    reply.headers({ "Content-Range": `bytes */${file.sizeBytes}` });
    throw new NightjarError(
      "range_not_satisfiable",
      `The file has ${file.sizeBytes} bytes; the header Range asks for none of them.`,
    );
  }
  // It went away just now.
  if (sent.statusCode === 404) throw options.missing();
  reply.code(sent.statusCode).headers({ ...sent.headers, ...options.headers });
  return reply.send(sent.stream);
}
