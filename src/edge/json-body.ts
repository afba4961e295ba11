import type { FastifyInstance } from "fastify";
import { NightjarError } from "../sessions/errors.ts";

/** How deep the values of a body may be nested: more than any route needs, and less than harms. */
const deepest = 200;

/**
 * Reads bodies as Fastify's own parser does, but an empty one is no body, since clients send the
 * header without one; and one that is nested without end is refused before recursion meets it.
 */
export function acceptJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser("error", "error");
  server.removeContentTypeParser(["application/json", "text/plain"]);
  server.addContentTypeParser(
    "application/json",
    { parseAs: "string" },
    (request, body: string, done) => {
      if (body === "") done(null, undefined);
      else
        parse(request, body, (error, value) => {
          if (error === null && isTooDeep(value)) {
            done(malformedBody(`it is nested more than ${deepest} levels deep`));
          } else done(error, value);
        });
    },
  );
}

/** A body that cannot be read, and why not. */
export function malformedBody(why: string): NightjarError {
  const message = `The request body is not valid JSON: ${why}.`;
  return new NightjarError("malformed_body", message, {
    issues: [{ location: ["body"], message, kind: "json_invalid" }],
  });
}

/** Level by level, without recursion: that is what deep values harm. */
function isTooDeep(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= deepest) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
