import { z } from "zod";
import { attachedReferenceSchema } from "./attached-browser.ts";
import { localReferenceSchema } from "./local-browser.ts";

const referenceSchema = z.discriminatedUnion("kind", [
  localReferenceSchema,
  attachedReferenceSchema,
]);

/** By what the store knows the browser of a session, so that a later process finds it again. */
export type BrowserReference = z.infer<typeof referenceSchema>;

/** Null where it cannot be read. */
export function parseBrowserReference(text: string): BrowserReference | null {
  try {
    return referenceSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
