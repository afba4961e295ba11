import { z } from "zod";
import { imageCategories } from "../../pages/content-protocol.ts";
import { pageCategories } from "../../pages/observe/observation.ts";
import { observeFields, pageMetadata } from "../page-schemas.ts";
import { firstSessionAnswer, firstSessionBody } from "./session-schemas.ts";

const url = z
  .string()
  .max(100_000)
  .nullish()
  .describe("Opened first; left out: the page that is there.")
  .meta({ examples: ["https://example.com"] });

/** The bodies of `/env/*`: a session's fields, and what is to be done in it. Unknown fields are ignored. */
export function firstPageBodies(maxSessionMinutes: number) {
  const session = firstSessionBody(maxSessionMinutes);
  return {
    observe: session.extend({ url, ...observeFields }),
    step: session.extend({
      url,
      ...observeFields,
      action_id: z
        .string()
        .min(1)
        .max(100)
        .describe("An id of the last observation: an element's, or one of the special actions.")
        .meta({ examples: ["B1"] }),
      value: z.string().max(1_000_000).nullish().describe("What the action takes."),
      enter: z.boolean().nullish().describe("Presses Enter afterwards."),
    }),
    scrape: session.extend({
      url,
      ...observeFields,
      scrape_images: z.boolean().nullish().describe("Whether images are kept. Default false."),
      scrape_links: z.boolean().nullish().describe("Whether links are kept. Default true."),
      only_main_content: z
        .boolean()
        .nullish()
        .describe("Without navigation, footers and the like. Default true."),
      response_format: z
        .record(z.string(), z.unknown())
        .nullish()
        .describe("A JSON Schema of the data to extract; needs a configured model."),
      instructions: z
        .string()
        .max(20_000)
        .nullish()
        .describe("What to extract, in words; needs a configured model."),
    }),
  };
}

const firstAction = z
  .object({
    id: z.string().meta({ examples: ["L1"] }),
    description: z.string().describe("What it does, in words."),
    category: z.string().describe("What it belongs to."),
    params: z
      .array(
        z.object({
          name: z.string().meta({ examples: ["value"] }),
          type: z.string().meta({ examples: ["string"] }),
          default: z.string().nullable().describe("What it is without a value."),
          values: z.array(z.string()).describe("What it may be; empty for anything."),
        }),
      )
      .describe("What `value` of a step means."),
    status: z.literal("valid").describe("It can be done."),
  })
  .meta({ id: "FirstApiAction" });

/** An observation in an answer of the first API: nested, with the older flat fields beside. */
export const firstObservation = z
  .object({
    session: firstSessionAnswer.describe("The session, as it is now."),
    metadata: pageMetadata.nullable().describe("Null where the page could not be observed."),
    screenshot: z.string().nullable().describe("A JPEG as base64, where one was asked for."),
    data: z
      .object({
        markdown: z.string().nullable().describe("The content."),
        images: z
          .array(
            z.object({
              id: z.string().meta({ examples: ["F1"] }),
              url: z.string().nullable().describe("Where it is."),
              category: z.enum(imageCategories).nullable().describe("What it is for."),
            }),
          )
          .nullable()
          .describe("The images, where they were asked for."),
        structured: z.unknown().describe("The data, where it was asked for."),
      })
      .nullable()
      .describe("What a scrape brings; null otherwise."),
    space: z
      .object({
        description: z.string().describe("The page, an element a line."),
        category: z.enum(pageCategories).nullable().describe("What the page is for."),
        markdown: z.string().describe("The page as text, with the ids of what can be done."),
        actions: z.array(firstAction).describe("What can be done on the page."),
        special_actions: z.array(firstAction).describe("What can always be done."),
        browser_actions: z.array(firstAction).describe("The same, by its later name."),
      })
      .nullable()
      .describe("What can be done; null where the page could not be observed."),
    progress: z.null().describe("Always null: steps are not counted here."),
    session_id: z.string().describe("As in `session`."),
    title: z.string().describe("As in `metadata`."),
    url: z.string().describe("As in `metadata`."),
    timestamp: z.string().describe("When it was observed."),
    error: z.string().nullable().describe("Why the step failed, in words; null where it did not."),
    message: z.string().nullable().describe("What the step did. (An addition of Nightjar.)"),
  })
  .meta({ id: "FirstApiObservation" });
