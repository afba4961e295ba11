import type { Readable } from "node:stream";
import fastifyMultipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { SessionService } from "../sessions/session-service.ts";
import type { DownloadCollector } from "../storage/download-collector.ts";
import type { StoredFile } from "../storage/file-folder.ts";
import { extensionOf } from "../storage/file-names.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { fileInForm, formFailure } from "./file-form.ts";
import {
  downloadParams,
  downloadsParams,
  fileForm,
  fileLinkAnswer,
  fileListAnswer,
  fileSuccessAnswer,
  storedUploadParams,
  uploadParams,
} from "./storage-schemas.ts";
import type { Urls } from "./urls.ts";
import { wireTime } from "./wire-time.ts";

export interface StorageRoutesOptions {
  readonly sessions: SessionService;
  readonly files: FileStorage;
  readonly downloads: Pick<DownloadCollector, "settled">;
  readonly urls: Urls;
}

/** What the npm client sends in place of a name: its type has no such parameter. */
const unfilledName = "{filename}";

const tags = ["Storage"];
const success = { success: true as const };

/** Files: a tenant's uploads, and the downloads of its sessions, also of those that have ended. */
export async function storageRoutes(
  instance: FastifyInstance,
  options: StorageRoutesOptions,
): Promise<void> {
  uploadRoutes(instance, options);
  downloadRoutes(instance, options);
  // In a scope of its own: no other route takes a form, and these take nothing else.
  await instance.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(fastifyMultipart, {
      throwFileSizeLimit: false,
      // One byte more than is stored tells a file that is too large from one that just fits.
      limits: { fileSize: options.files.maxFileBytes + 1, files: 1, fields: 10, parts: 20 },
    });
    formRoutes(scope, options);
  });
}

function uploadRoutes(instance: FastifyInstance, { files, urls }: StorageRoutesOptions): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/storage/uploads",
    {
      schema: {
        summary: "List uploads",
        tags,
        response: { 200: fileListAnswer, ...errorAnswers(401) },
      },
    },
    async (request) => toListAnswer(await files.list("uploads", principalOf(request).tenantId)),
  );

  server.get(
    "/storage/uploads/:filename",
    {
      schema: {
        summary: "Get the URL of an upload",
        tags,
        params: storedUploadParams,
        response: { 200: fileLinkAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const owner = principalOf(request).tenantId;
      const { name } = await files.find("uploads", owner, request.params.filename);
      return { url: urls.file(request, { kind: "uploads", owner, name }) };
    },
  );

  server.delete(
    "/storage/uploads/:filename",
    {
      schema: {
        summary: "Delete an upload",
        description: "An addition of Nightjar.",
        tags,
        params: storedUploadParams,
        response: { 200: fileSuccessAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      await files.delete("uploads", principalOf(request).tenantId, request.params.filename);
      return success;
    },
  );
}

function downloadRoutes(instance: FastifyInstance, options: StorageRoutesOptions): void {
  const { sessions, files, downloads, urls } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();

  /** The session's id, once it is certain whose it is and what it has downloaded is stored. */
  async function ownedSession(request: FastifyRequest, sessionId: string): Promise<string> {
    const { id } = await sessions.get(principalOf(request), sessionId);
    await downloads.settled(id);
    return id;
  }

  server.get(
    "/storage/:session_id/downloads",
    {
      schema: {
        summary: "List the downloads of a session",
        description:
          "What its pages downloaded, whoever made them, and what was stored for it by API. Works for sessions that ended, as long as the operator keeps their downloads.",
        tags,
        params: downloadsParams,
        response: { 200: fileListAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const id = await ownedSession(request, request.params.session_id);
      return toListAnswer(await files.list("downloads", id));
    },
  );

  server.get(
    "/storage/:session_id/downloads/:filename",
    {
      schema: {
        summary: "Get the URL of a download",
        tags,
        params: downloadParams,
        response: { 200: fileLinkAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const owner = await ownedSession(request, request.params.session_id);
      const { name } = await files.find("downloads", owner, request.params.filename);
      return { url: urls.file(request, { kind: "downloads", owner, name }) };
    },
  );

  server.delete(
    "/storage/:session_id/downloads/:filename",
    {
      schema: {
        summary: "Delete a download",
        description: "An addition of Nightjar.",
        tags,
        params: downloadParams,
        response: { 200: fileSuccessAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const owner = await ownedSession(request, request.params.session_id);
      await files.delete("downloads", owner, request.params.filename);
      return success;
    },
  );
}

/** The routes that take a form with a file. */
function formRoutes(instance: FastifyInstance, { sessions, files }: StorageRoutesOptions): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const config = { takesFile: true };
  const form = { consumes: ["multipart/form-data"], body: fileForm, tags };

  server.post(
    "/storage/uploads/:filename",
    {
      config,
      schema: {
        ...form,
        summary: "Upload a file",
        description: "For the `upload_file` action of all of the tenant's sessions.",
        params: uploadParams,
        response: {
          200: fileSuccessAnswer,
          ...errorAnswers(400, 401, 413, 415, 422, 507),
        },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { filename } = request.params;
      await storeFile(request, (content, nameInForm) =>
        files.saveUpload(tenantId, filename === unfilledName ? nameInForm : filename, content),
      );
      return success;
    },
  );

  server.post(
    "/storage/:session_id/downloads/:filename",
    {
      config,
      schema: {
        ...form,
        summary: "Store a file among the downloads of a session",
        description: "It is listed with the time before its name, as every download is.",
        params: downloadParams,
        response: {
          200: fileSuccessAnswer,
          ...errorAnswers(400, 401, 404, 413, 415, 422, 507),
        },
      },
    },
    async (request) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      sessions.touch(id);
      const { filename } = request.params;
      await storeFile(request, (content, nameInForm) =>
        files.saveDownload(id, filename === unfilledName ? nameInForm : filename, content),
      );
      return success;
    },
  );
}

async function storeFile(
  request: FastifyRequest,
  save: (content: Readable, nameInForm: string) => Promise<StoredFile>,
): Promise<void> {
  try {
    const part = await fileInForm(request);
    await save(part.file, part.filename ?? "");
  } catch (error) {
    // What is still on its way is read and dropped, or the client would not come to read the answer.
    request.raw.unpipe();
    request.raw.resume();
    throw formFailure(error);
  }
}

function toListAnswer(files: readonly StoredFile[]) {
  return {
    files: files.map(({ name, sizeBytes, updatedAt }) => ({
      name,
      size: sizeBytes,
      file_ext: extensionOf(name).slice(1),
      updated_at: wireTime(updatedAt),
    })),
  };
}
