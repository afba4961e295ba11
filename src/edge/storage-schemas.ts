import { z } from "zod";
import { sessionIdParams } from "./session-schemas.ts";

const filename = z
  .string()
  .describe("The file's name. Of a path only the last part counts.")
  .meta({ examples: ["report.pdf"] });

export const uploadParams = z.object({
  filename: filename.describe(
    "The file's name, of a path the last part; an upload of the same name is replaced. The literal `{filename}`, which one official client sends, stands for the name in the form.",
  ),
});

export const storedUploadParams = z.object({ filename });

export const downloadsParams = sessionIdParams;

export const downloadParams = sessionIdParams.extend({
  filename: filename
    .describe(
      "As it is listed, or as its page called it: then the newest of that name. Of a path only the last part counts.",
    )
    .meta({ examples: ["2026_11_24_12_00_00-report.pdf"] }),
});

/** The form of an upload, for the documentation: the part itself is read as a stream. */
export const fileForm = z
  .object({
    file: z
      .unknown()
      .optional()
      .describe("The file's content, with a file name.")
      .meta({ type: "string", format: "binary" }),
  })
  .meta({ required: ["file"] });

const storedFile = z.object({
  name: z.string().meta({ examples: ["2026_11_24_12_00_00-report.pdf"] }),
  size: z.int().min(0).describe("In bytes."),
  file_ext: z
    .string()
    .describe("The ending of the name, without its dot; empty where it has none.")
    .meta({ examples: ["pdf"] }),
  updated_at: z.iso
    .datetime({ offset: true })
    .describe("When it was stored.")
    .meta({ examples: ["2026-11-24T12:00:00.000+00:00"] }),
});

export const fileListAnswer = z
  .object({ files: z.array(storedFile).describe("Newest first.") })
  .meta({ id: "FileList" });

export const fileLinkAnswer = z
  .object({
    url: z
      .url()
      .describe("Answers the file to whoever has it, without a key, for an hour.")
      .meta({
        examples: ["http://127.0.0.1:7777/files/uploads/default/report.pdf?expires=...&token=..."],
      }),
  })
  .meta({ id: "FileLink" });

export const fileSuccessAnswer = z
  .object({ success: z.literal(true).describe("Failures are answered as errors.") })
  .meta({ id: "FileSuccess" });

/** The parts of a URL that `GET /storage/...` answered. */
export const fileUrlParams = z.object({
  // Any text: who has no token is told that first.
  kind: z.string().describe("`uploads` or `downloads`."),
  owner: z.string().describe("What the URL says: a tenant or a session."),
  name: z.string().describe("The file's name."),
});

export const fileUrlQuery = z.object({
  expires: z
    .string()
    .default("")
    .describe("Until when the URL is good, in seconds since 1970.")
    .meta({ examples: ["1795521600"] }),
  token: z.string().default("").describe("Made for this file and this time."),
});
