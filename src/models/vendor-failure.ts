import { APICallError, RetryError } from "ai";

/** What went wrong at a vendor. */
export interface VendorFailure {
  /** For the caller: nothing that only the operator may see, so none of the vendor's own words. */
  readonly text: string;
  /** For the operator's log, without the key. */
  readonly detail: string;
}

const mostDetailCharacters = 1000;

/** The failure behind what the SDK threw; `key` is the secret that its words must not show. */
export function vendorFailureOf(error: unknown, key: string | null): VendorFailure {
  // The SDK wraps the last failure in the story of its retries.
  const cause = RetryError.isInstance(error) ? error.lastError : error;
  const words = cause instanceof Error ? cause.message : String(cause);
  const body = APICallError.isInstance(cause) ? ` ${cause.responseBody ?? ""}` : "";
  const said = `${words}${body}`;
  const safe = key === null || key === "" ? said : said.replaceAll(key, "[redacted]");
  return { text: textFor(cause), detail: safe.slice(0, mostDetailCharacters) };
}

function textFor(cause: unknown): string {
  if (!APICallError.isInstance(cause)) {
    return "The model's answer could not be read; the server's log says more.";
  }
  const { statusCode: status, message, responseBody } = cause;
  if (status === undefined) return "The model's vendor cannot be reached; try again later.";
  if (status < 300) return "The model's vendor answered something that is no model's answer.";
  if (status === 401 || status === 403) {
    return "The model's vendor refuses this server's key: the operator has to set NIGHTJAR_MODEL_KEY right.";
  }
  if (status === 404) {
    return "The model's vendor does not know the model: the operator has to set NIGHTJAR_MODEL right.";
  }
  if (status === 429) {
    const seconds = Number(cause.responseHeaders?.["retry-after"]);
    const when = seconds > 0 ? `in ${Math.ceil(seconds)} seconds` : "later";
    return `The model's vendor takes no more requests for now; try again ${when}.`;
  }
  if (status === 413 || (status === 400 && isTooLong(`${message} ${responseBody ?? ""}`))) {
    return "The page is too long for the model: scrape a part of it with `selector`, or ask the operator to lower NIGHTJAR_MODEL_MAX_CHARACTERS.";
  }
  if (status >= 500) return `The model's vendor failed with the status ${status}; try again later.`;
  return `The model's vendor refused the request with the status ${status}; the server's log says more.`;
}

/** The vendors name it differently, and all with the status 400. */
function isTooLong(words: string): boolean {
  return /context.{0,3}(?:length|window)|too (?:long|large|many tokens)|maximum.{0,40}tokens|token count/i.test(
    words,
  );
}
