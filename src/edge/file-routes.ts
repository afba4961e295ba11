import path from "node:path";
import send from "@fastify/send";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import { type FileStorage, fileNotFound, type LocatedFile } from "../storage/file-storage.ts";
import { errorAnswers } from "./error-schemas.ts";
import { fileUrlParams, fileUrlQuery } from "./storage-schemas.ts";
import { checkExpiringUrl, fileSubject } from "./urls.ts";

export interface FileRoutesOptions {
  readonly files: FileStorage;
  readonly capabilities: Capabilities;
}

const fileBody = z.string().meta({ format: "binary" });
const fileContent = { "application/octet-stream": { schema: fileBody } };

/** The URLs that the storage routes answer: a stored file, for whoever has its URL. */
export function fileRoutes(instance: FastifyInstance, options: FileRoutesOptions): void {
  const { files, capabilities } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/files/:kind/:owner/:name",
    {
      // The token in the URL stands for the key.
      config: { public: true },
      schema: {
        summary: "Fetch a file by its URL",
        description: "Use the URL as it was answered. Takes `Range`, also `If-Range`.",
        tags: ["Storage"],
        security: [],
        params: fileUrlParams,
        querystring: fileUrlQuery,
        response: {
          200: { description: "The file.", content: fileContent },
          206: { description: "The range of it that was asked for.", content: fileContent },
          ...errorAnswers(401, 404, 410, 416),
        },
      },
    },
    async (request, reply) => {
      const { owner, name } = request.params;
      const kind = request.params.kind === "uploads" ? "uploads" : "downloads";
      checkExpiringUrl(capabilities, fileSubject({ kind, owner, name }), request.query);
      return sendFile(request, reply, await files.find(kind, owner, name));
    },
  );
}

/** The file, or the part of it that the request asks for. Throws `range_not_satisfiable`. */
async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: LocatedFile,
): Promise<FastifyReply> {
  const sent = await send(request.raw, `/${encodeURIComponent(file.name)}`, {
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
  if (sent.statusCode === 404) throw fileNotFound(file.name);
  reply.code(sent.statusCode).headers({
    ...sent.headers,
    ...safetyHeaders,
    "Content-Type": "application/octet-stream",
    "Content-Disposition": attachment(file.name),
  });
  return reply.send(sent.stream);
}

/** A stored file may be a page with script in it: nothing of it may run in the server's origin. */
const safetyHeaders = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox; default-src 'none'",
  "Cache-Control": "private, no-cache",
  "Referrer-Policy": "no-referrer",
};

/** RFC 6266: a name that every client reads, and the real one for those that know RFC 8187. */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
