/**
 * What is never written into a log: the values of headers, URL parameters and URL credentials that
 * let somebody in. Names are matched, not values: what a page calls by another name is kept.
 */
const secretHeader =
  /^(?:cookie|set-cookie)$|authorization|authentication|token|secret|password|api-?key|access-?key|session-?id|csrf|xsrf|signature|credential/i;

/** `name=` of a query, a fragment or a form, where what follows is a secret. */
const secretParameter =
  /([?&#;](?:[\w.-]*(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|signature|credential|jwt|session[_-]?id)[\w.-]*|auth|code|key|pwd|sig|sid|otp)=)[^&#\s"'<>]*/gi;

/** `user:password@` behind a scheme. */
const credentials = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@"'<>]*@/gi;

const mask = "[masked]";

/** The longest text of a header that is kept, in characters. */
const longestHeader = 2000;

/** The headers with the values of secret ones masked. */
export function maskHeaders(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretHeader.test(name) ? mask : maskText(value.slice(0, longestHeader)),
    ]),
  );
}

/** A text, a URL for one, with what is secret in the URLs in it masked. */
export function maskText(text: string): string {
  return text.replace(credentials, `$1${mask}@`).replace(secretParameter, `$1${mask}`);
}

/** The longest URL that is kept, in characters. */
const longestUrl = 4000;

/** A URL for a log: masked, and without the content that `data:` URLs carry. */
export function loggedUrl(url: string): string {
  if (/^data:/i.test(url)) {
    const comma = url.indexOf(",");
    return comma === -1 ? "data:" : `${url.slice(0, Math.min(comma, 100))},…`;
  }
  return maskText(url.slice(0, longestUrl));
}
