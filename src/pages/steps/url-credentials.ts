import { withScheme } from "../actions/navigation-actions.ts";
import { secretMask } from "./secret-mask.ts";

/** `user:password@` behind a scheme, up to the last `@` before the path. */
const credentials = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>]{1,1000}@/gi;

/** A text, e.g. a URL, with the credentials of URLs in it masked. */
export function withoutCredentials(text: string): string {
  return text.replace(credentials, `$1${secretMask}@`);
}

/** A URL that was asked for, as it may be kept. */
export interface KeptUrl {
  readonly url: string;
  /** Texts that must not be kept anywhere else either. */
  readonly secrets: readonly string[];
}

/** A URL as somebody wrote it, without the credentials in it; null where it has none. */
export function keptUrl(text: string): KeptUrl | null {
  const url = URL.parse(withScheme(text));
  if (url === null || !/^(?:https?|data|blob|about):$/.test(url.protocol)) {
    // What is none that is opened may hold some all the same, and failures repeat it.
    const at = text.lastIndexOf("@");
    return at === -1 ? null : { url: `${secretMask}${text.slice(at)}`, secrets: [text] };
  }
  const { username, password } = url;
  if (username === "" && password === "") return null;
  const kept = new URL(url);
  kept.username = secretMask;
  kept.password = "";
  const parts = [password === "" ? username : password];
  return { url: kept.href, secrets: [...parts, ...parts.map(decoded)] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
