import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { mostProfiles, type ProfileService } from "../profiles/profile-service.ts";
import { principalOf } from "./auth.ts";
import { toWireCookie } from "./cookies-schemas.ts";
import { errorAnswers } from "./error-schemas.ts";
import {
  profileAnswer,
  profileBody,
  profileCookiesAnswer,
  profileCookiesBody,
  profileCookiesSetAnswer,
  profileDeletedAnswer,
  profileListAnswer,
  profileListQuery,
  profileParams,
  toImportedCookie,
  toWireProfile,
} from "./profiles-schemas.ts";

/** Profiles: what sessions begin with and may leave to the next. */
export function profilesRoutes(instance: FastifyInstance, profiles: ProfileService): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const tags = ["Profiles"];

  server.post(
    "/profiles/create",
    {
      schema: {
        summary: "Create a profile",
        description: `It is empty until a session with \`profile: {id, persist: true}\` has been to somewhere, or cookies are put into it. A tenant may have ${mostProfiles}.`,
        tags,
        body: profileBody,
        response: { 200: profileAnswer, ...errorAnswers(422, 401, 409) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      return toWireProfile(await profiles.create(tenantId, request.body.name ?? null));
    },
  );

  server.get(
    "/profiles",
    {
      schema: {
        summary: "List profiles",
        tags,
        querystring: profileListQuery,
        response: { 200: profileListAnswer, ...errorAnswers(422, 401) },
      },
    },
    async (request) => {
      const { page, page_size: pageSize, name } = request.query;
      const { tenantId } = principalOf(request);
      const found = await profiles.list({
        tenantId,
        ...(name === undefined || name === "" ? {} : { name }),
        page,
        pageSize,
      });
      return {
        items: found.profiles.map(toWireProfile),
        page,
        page_size: pageSize,
        has_next: found.hasNext,
        has_previous: page > 1,
      };
    },
  );

  server.get(
    "/profiles/:profile_id",
    {
      schema: {
        summary: "Get a profile",
        tags,
        params: profileParams,
        response: { 200: profileAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      return toWireProfile(await profiles.get(tenantId, request.params.profile_id));
    },
  );

  server.delete(
    "/profiles/:profile_id",
    {
      schema: {
        summary: "Delete a profile",
        description:
          "With all that it holds. It is refused while a session persists it; sessions that only began with it go on.",
        tags,
        params: profileParams,
        response: { 200: profileDeletedAnswer, ...errorAnswers(401, 404, 409) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      await profiles.delete(tenantId, request.params.profile_id);
      return { success: true as const, message: "The profile is deleted." };
    },
  );

  server.post(
    "/profiles/:profile_id/duplicate",
    {
      schema: {
        summary: "Duplicate a profile",
        description: "Makes another profile with the same state, as it was last saved.",
        tags,
        params: profileParams,
        body: profileBody,
        response: { 200: profileAnswer, ...errorAnswers(422, 401, 404, 409, 507) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { profile_id: id } = request.params;
      return toWireProfile(await profiles.duplicate(tenantId, id, request.body.name ?? null));
    },
  );

  server.get(
    "/profiles/:profile_id/cookies",
    {
      schema: {
        summary: "Get the cookies of a profile",
        tags,
        params: profileParams,
        response: { 200: profileCookiesAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const cookies = await profiles.cookies(tenantId, request.params.profile_id);
      // No cache on the way may keep them.
      reply.header("Cache-Control", "no-store");
      return { cookies: cookies.map(toWireCookie) };
    },
  );

  server.post(
    "/profiles/:profile_id/cookies",
    {
      schema: {
        summary: "Put cookies into a profile",
        description:
          "Sessions that start with it from now on have them. It is refused while a session persists the profile: set the cookies of that session instead.",
        tags,
        params: profileParams,
        body: profileCookiesBody,
        response: { 200: profileCookiesSetAnswer, ...errorAnswers(422, 401, 404, 409, 413, 507) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { cookies, mode } = request.body;
      const imported = cookies.map(toImportedCookie);
      const count = await profiles.setCookies(tenantId, request.params.profile_id, imported, mode);
      const noun = imported.length === 1 ? "cookie" : "cookies";
      const message = `${imported.length} ${noun} saved.`;
      return { success: true as const, message, mode, cookies_count: count };
    },
  );
}
