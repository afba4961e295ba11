import type { StructuredData } from "../actions/action.ts";

/** A JSON Schema (draft 7 or 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ExtractionRequest {
  /** The page as markdown. Not to be trusted: it may try to give orders. */
  readonly content: string;
  readonly url: string;
  readonly title: string;
  /** What the answer must fit; null leaves its form to the model. */
  readonly schema: JsonSchema | null;
  readonly instructions: string | null;
}

/** Gets data out of a page's content by a model. */
export interface StructuredExtractor {
  /** What goes wrong with the model is an answer; throws only the signal's reason. */
  extract(request: ExtractionRequest, signal: AbortSignal): Promise<StructuredData>;
  /** A JSON Schema that fits what the instructions ask of this content. */
  inferSchema(
    request: Omit<ExtractionRequest, "schema">,
    signal: AbortSignal,
  ): Promise<
    | { readonly success: true; readonly schema: JsonSchema }
    | { readonly success: false; readonly error: string }
  >;
}
