import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { type ApiKey, type ApiKeys, longestKeyName, maxValidKeys } from "../sessions/api-keys.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { wireTime } from "./wire-time.ts";

const time = z.iso.datetime({ offset: true }).meta({ examples: ["2026-11-24T12:00:00.000+00:00"] });

const apiKeyFields = {
  id: z.string().meta({ examples: ["key_0f3a9c5be127"] }),
  name: z
    .string()
    .describe("What it is for.")
    .meta({ examples: ["nightly crawl"] }),
  hint: z
    .string()
    .describe("Its first characters, to recognize it by.")
    .meta({ examples: ["nj_8fK..."] }),
  created_at: time.describe("When it was made."),
  revoked_at: time.nullable().describe("When it was made invalid; null while it is valid."),
  is_current: z.boolean().describe("Whether this request was made with it."),
};

const apiKeyAnswer = z.object(apiKeyFields).meta({ id: "ApiKey" });
const apiKeyListAnswer = z
  .object({ items: z.array(apiKeyAnswer).describe("Newest first, revoked ones included.") })
  .meta({ id: "ApiKeyList" });
const newApiKeyAnswer = z
  .object({
    ...apiKeyFields,
    key: z
      .string()
      .describe("The key itself. It is shown only now: the server keeps a hash.")
      .meta({ examples: ["nj_8fK2..."] }),
  })
  .meta({ id: "NewApiKey" });

const createBody = z.strictObject({
  name: z
    .string()
    .describe(`What it is for: 1 to ${longestKeyName} characters.`)
    .meta({ examples: ["nightly crawl"] }),
});

const revokeParams = z.object({
  key_id: z
    .string()
    .describe("The key's id, as it is listed.")
    .meta({ examples: ["key_0f3a9c5be127"] }),
});

const revokeAnswer = z
  .object({
    success: z.literal(true).describe("It is done."),
    message: z.string().meta({ examples: ["The API key is not valid any more."] }),
  })
  .meta({ id: "ApiKeyRevoked" });

/** A tenant's API keys. An addition of Nightjar. */
export function apiKeysRoutes(instance: FastifyInstance, apiKeys: ApiKeys): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const tags = ["API keys"];

  server.get(
    "/api-keys",
    {
      schema: {
        summary: "List API keys",
        description: "Those of the tenant that the request's own key belongs to.",
        tags,
        response: { 200: apiKeyListAnswer, ...errorAnswers(401) },
      },
    },
    async (request) => {
      const { tenantId, apiKeyId } = principalOf(request);
      const found = await apiKeys.list(tenantId);
      return { items: found.map((key) => toAnswer(key, apiKeyId)) };
    },
  );

  server.post(
    "/api-keys",
    {
      schema: {
        summary: "Make an API key",
        description: `The answer alone holds the key. A tenant may have ${maxValidKeys} valid ones.`,
        tags,
        body: createBody,
        response: { 200: newApiKeyAnswer, ...errorAnswers(422, 401, 409) },
      },
    },
    async (request, reply) => {
      const { tenantId, apiKeyId } = principalOf(request);
      const { key, apiKey } = await apiKeys.create(tenantId, request.body.name);
      // No cache on the way may keep the key.
      reply.header("Cache-Control", "no-store");
      return { ...toAnswer(apiKey, apiKeyId), key };
    },
  );

  server.delete(
    "/api-keys/:key_id",
    {
      schema: {
        summary: "Revoke an API key",
        description:
          "It is refused from now on; sessions that it started go on. The key of NIGHTJAR_API_KEY becomes valid again when the server is restarted with it.",
        tags,
        params: revokeParams,
        response: { 200: revokeAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      await apiKeys.revoke(principalOf(request).tenantId, request.params.key_id);
      return { success: true as const, message: "The API key is not valid any more." };
    },
  );
}

function toAnswer(key: ApiKey, currentId: string) {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    created_at: wireTime(key.createdAt),
    revoked_at: key.revokedAt === null ? null : wireTime(key.revokedAt),
    is_current: key.id === currentId,
  };
}
