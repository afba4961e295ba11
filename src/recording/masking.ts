/**
 * What is never written into a log: the values of headers, URL parameters and URL credentials that
 * let somebody in. They are known by their names, and by their form only where that is beyond doubt
 * (bearer and JSON Web Tokens): other secrets that a page calls by a name of its own are kept.
 */
const secretHeader =
  /^(?:cookie|set-cookie)$|authorization|authentication|(?:^|[-_])auth(?:$|[-_])|token|secret|password|api-?key|access-?key|session-?id|csrf|xsrf|signature|credential/i;

/** `X-Functions-Key` and what else is called so; the key of a WebSocket's handshake is none. */
const keyHeader = /(?<!^sec-websocket)[-_]key$/i;

/** Names of parameters that are secrets, and those that are where they stand in a query or a form. */
const secretName = String.raw`[\w.-]{0,64}?(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|signature|credential|jwt|session[_-]?id)[\w.-]{0,64}`;
const shortName = "auth|code|key|pwd|sig|sid|otp";
const inValue = String.raw`[^&#\s"'<>]`;

/**
 * `name=` of a query, a fragment or a form, where what follows is a secret. What repeats in these
 * patterns is bounded: pages choose the texts, and must not choose how long a match takes.
 */
const secretParameter = new RegExp(`([?&#;](?:${secretName}|${shortName})=)${inValue}*`, "gi");

/** The first one of a form, which nothing stands before. `code=` is one only if another follows. */
const firstParameter = new RegExp(
  String.raw`(?<!\S)(${secretName}=|(?:${shortName})=(?=${inValue}{0,1000}&))${inValue}+`,
  "gi",
);

/** `user:password@` behind a scheme. */
const credentials = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@"'<>]{0,1000}@/gi;

/** What follows `Bearer` in a header that somebody prints. */
const bearer = /\b(bearer\s{1,9})[\w.~+/=-]{16,}/gi;

/** A JSON Web Token, whatever it is called. */
const webToken = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;

const mask = "[masked]";

/** The longest text of a header that is kept, in characters. */
const longestHeader = 2000;
/** The most headers of one request or answer that are kept. */
const mostHeaders = 60;

/** The headers with the values of secret ones masked. */
export function maskHeaders(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers)
      .slice(0, mostHeaders)
      .map(([name, value]) => [
        name.slice(0, 200),
        isSecretHeader(name) ? mask : maskText(value.slice(0, longestHeader)),
      ]),
  );
}

function isSecretHeader(name: string): boolean {
  return secretHeader.test(name) || keyHeader.test(name);
}

/** A text, a URL for one, with what is secret in it masked. */
export function maskText(text: string): string {
  return text
    .replace(credentials, `$1${mask}@`)
    .replace(secretParameter, `$1${mask}`)
    .replace(firstParameter, `$1${mask}`)
    .replace(bearer, `$1${mask}`)
    .replace(webToken, mask);
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
