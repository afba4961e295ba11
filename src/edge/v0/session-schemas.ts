import { z } from "zod";
import { sessionAnswer } from "../session-schemas.ts";

/** The first API's timers, in minutes. */
export const firstTimeLimits = { defaultIdleMinutes: 5, maxIdleMinutes: 30 } as const;

/** The session fields of every request of the first API. Unknown fields are ignored. */
export function firstSessionBody(maxSessionMinutes: number) {
  const max = Math.min(firstTimeLimits.maxIdleMinutes, maxSessionMinutes);
  const range = `must be a whole number of minutes with 0 < x <= ${max}`;
  const minutes = z.int(range).min(1, range).max(max, range).nullish();
  return z.object({
    session_id: z
      .string()
      .nullish()
      .describe("Leave it out to start a session; required to close one.")
      .meta({ examples: ["f47ac10b-58cc-4372-a567-0e02b2c3d479"] }),
    keep_alive: z
      .boolean()
      .nullish()
      .describe("`true` leaves the session open after the operation. Default false.")
      .meta({ examples: [false] }),
    session_timeout_minutes: minutes
      .describe(
        `Ends after so many minutes without any operation; 0 < x <= ${max}. Default 5 for a new session.`,
      )
      .meta({ examples: [5] }),
    session_timeout: minutes
      .describe("An old name of `session_timeout_minutes`.")
      .meta({ deprecated: true, examples: [5] }),
    timeout_minutes: minutes
      .describe("An old name of `session_timeout_minutes`.")
      .meta({ deprecated: true, examples: [5] }),
    screenshot: z
      .boolean()
      .nullish()
      .describe("`true`: the answer carries a screenshot, taken before a close.")
      .meta({ examples: [true] }),
    proxies: z
      .array(z.string())
      .nullish()
      .describe("Proxies are not supported yet: anything but an empty list is answered 501."),
  });
}

export type FirstSessionBody = z.output<ReturnType<typeof firstSessionBody>>;

/** A session in an answer of the first API. */
export const firstSessionAnswer = sessionAnswer
  .extend({
    screenshot: z
      .string()
      .nullable()
      .describe("A PNG as base64; null where none was asked for or could be taken."),
  })
  .meta({ id: "FirstApiSession" });

export const firstListQuery = z.object({
  only_active: z
    .stringbool({ truthy: ["true", "1"], falsy: ["false", "0"] })
    .meta({ type: "boolean" })
    .default(true)
    .describe("Leave out sessions that ended."),
  limit: z.coerce.number().int().min(1).max(100).default(10).describe("At most 100."),
});

/** The idle timeout that a body asks for, in minutes, by whichever of its names; null for none. */
export function timeoutOf(fields: FirstSessionBody): number | null {
  return fields.session_timeout_minutes ?? fields.session_timeout ?? fields.timeout_minutes ?? null;
}
