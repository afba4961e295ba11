/** Parts of class names and files that say how something is drawn, not what it is. */
const drawing: ReadonlySet<string> = new Set(
  "absolute active align anim animate animated bg block bold border box btn button center class clickable cls col color container content control css cursor default disabled display div fa fab far fas fill fit fixed flex flexbox float focus font full glyphicon grid grow hidden hover icon icons image img inline inner inset item items justify large lg link main margin material max mdi md medium min nav no none object opacity outer outline overflow padding pointer position primary relative round rounded row secondary self shadow shrink small sm solid space sprite static sticky style svg symbols text toggle transition ui visible wrap wrapper xl xs".split(
    " ",
  ),
);
/** Class names that a build made up. */
const madeUp = /\d{2,}|^(?:sc|css|jsx|emotion)-|__|[a-z][A-Z].*\d/;
const longestHint = 30;

/** For a control without a name: what its mark-up calls it, e.g. `trash`; empty where it does not. */
export function hintOf(element: Element): string {
  const inner =
    element.querySelector("use, img") ?? element.querySelector("i, svg, [class*=icon]") ?? element;
  const sources = [
    inner.getAttribute("href") ?? inner.getAttribute("xlink:href"),
    inner.getAttribute("data-icon"),
    inner
      .getAttribute("src")
      ?.split(/[?#]/)[0]
      ?.split("/")
      .at(-1)
      ?.replace(/\.\w+$/, ""),
    inner.getAttribute("class"),
    element.getAttribute("name"),
    element.id,
    element.getAttribute("class"),
    targetOf(element),
  ];
  for (const source of sources) {
    if (source == null || source.startsWith("data:")) continue;
    const words = source
      .split(/\s+/)
      .filter((word) => !madeUp.test(word))
      .flatMap((word) => word.replace(/^.*#/, "").split(/[^a-zA-Z]+/))
      .flatMap((word) => word.split(/(?<=[a-z])(?=[A-Z])/))
      .map((word) => word.toLowerCase())
      .filter((word) => (word.length > 2 || word === "up") && !drawing.has(word));
    if (words.length > 0) return shortened([...new Set(words)]);
  }
  return "";
}

/** As many of the words as a hint has room for, at least the first. */
function shortened(words: readonly string[]): string {
  let hint = "";
  for (const word of words) {
    if (hint !== "" && hint.length + 1 + word.length > longestHint) break;
    hint += hint === "" ? word.slice(0, longestHint) : ` ${word}`;
  }
  return hint;
}

/** For a link: the name of the site that it leads to, or of the page on this one. */
function targetOf(element: Element): string | null {
  if (!(element instanceof HTMLAnchorElement)) return null;
  const { hostname, pathname } = element;
  if (hostname !== "" && hostname !== location.hostname) return hostname.replace(/^www\./, "");
  return pathname.split("/").filter(Boolean).at(-1) ?? null;
}
