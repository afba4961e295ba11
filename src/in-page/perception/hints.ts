/** Parts of class names and files that say how something is drawn, not what it is. */
const empty =
  /^(?:\d+|active|btn|button|class|cls|clickable|control|css|default|disabled|fa|far|fas|fab|glyphicon|icon|icons|img|image|item|lg|link|material|md|mdi|medium|primary|round|rounded|secondary|sm|small|solid|svg|symbols|toggle|ui|xs|\w)$/;
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
  ];
  for (const source of sources) {
    if (source == null || source.startsWith("data:")) continue;
    const words = source
      .split(/\s+/)
      .filter((word) => !madeUp.test(word))
      .flatMap((word) => word.replace(/^.*#/, "").split(/[^a-zA-Z]+/))
      .flatMap((word) => word.split(/(?<=[a-z])(?=[A-Z])/))
      .map((word) => word.toLowerCase())
      .filter((word) => word !== "" && !empty.test(word));
    if (words.length > 0) return [...new Set(words)].join(" ").slice(0, longestHint);
  }
  return "";
}
