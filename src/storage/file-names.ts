/** The longest name of a stored file, in bytes of UTF-8; file systems take 255. */
export const longestNameBytes = 200;

/** The longest extension that survives when a name is cut, in bytes. */
const longestExtensionBytes = 20;

/** Names that mean devices on Windows, with any extension: people download to there. */
const reservedName = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/** Control characters, separators of lines, and marks that turn the direction of writing. */
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * The last part of a path as a name that stays in its folder and that every platform can store:
 * no separators, no control characters, no `.` and `..`, composed Unicode. Applied twice it changes
 * nothing more. Empty when nothing is left.
 */
export function cleanFileName(given: string): string {
  const parts = given
    .toWellFormed()
    .normalize("NFC")
    .replace(invisible, "")
    .split(/[/\\]/)
    .map(trimEnds)
    .filter((part) => part !== "");
  const name = (parts.at(-1) ?? "").replace(/[<>:"|?*]/g, "_");
  return reservedName.test(name) ? `_${name}` : name;
}

/** Without white space around it and without dots at its end, which Windows drops. */
function trimEnds(part: string): string {
  return part.trimStart().replace(/[\s.]+$/u, "");
}

/** Shortens a clean name to `longestNameBytes`, between characters, and keeps its extension. */
export function fitFileName(name: string): string {
  if (Buffer.byteLength(name) <= longestNameBytes) return name;
  const extension = extensionOf(name);
  const kept = Buffer.byteLength(extension) <= longestExtensionBytes ? extension : "";
  const stem = name.slice(0, name.length - kept.length);
  const cut = cutBytes(stem, longestNameBytes - Buffer.byteLength(kept));
  // What was in the middle stands at the end now.
  return `${kept === "" ? trimEnds(cut) : cut}${kept}`;
}

/** From the last dot on, e.g. `.pdf`; empty where there is none or nothing stands before it. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot);
}

function cutBytes(text: string, mostBytes: number): string {
  let bytes = 0;
  let cut = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > mostBytes) break;
    cut += character;
  }
  return cut;
}

/** `2026_11_24_12_00_00-`, the time in UTC: what the names of a session's downloads begin with. */
export function timePrefix(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace(/[-T:]/g, "_")}-`;
}

/** The name without its time, for who asks for a download as the page called it. */
export function withoutTimePrefix(name: string): string {
  return name.replace(/^\d{4}(?:_\d\d){5}-/, "");
}

/** `report.pdf` -> `report (2).pdf`. */
export function numberedName(name: string, number: number): string {
  const extension = extensionOf(name);
  return `${name.slice(0, name.length - extension.length)} (${number})${extension}`;
}
