/** What a file input says about the file that it was given, as the page sees it. */
export interface GivenFile {
  /** The input's `accept`; empty for any kind. */
  readonly accept: string;
  /** As the browser took it from the name; empty where it knows none. */
  readonly type: string;
  readonly name: string;
}

/** Whether a file is of a kind that an input asks for (https://html.spec.whatwg.org/#attr-input-accept). */
export function isAccepted({ accept, type, name }: GivenFile): boolean {
  const kinds = accept
    .split(",")
    .map((kind) => kind.trim().toLowerCase())
    .filter((kind) => kind !== "");
  if (kinds.length === 0) return true;
  return kinds.some((kind) => {
    if (kind.startsWith(".")) return name.toLowerCase().endsWith(kind);
    if (kind.endsWith("/*")) return type.toLowerCase().startsWith(kind.slice(0, -1));
    return type.toLowerCase() === kind || kind === "*";
  });
}
