import type { PageCategory, PageElement, PageItem, PageLayer } from "./observation.ts";

/** How many like things make a feed. */
const feedSize = 12;
const formSize = 3;

/** What a page is for, as far as what is on it tells; null for an empty page. */
export function categoryOf(
  url: string,
  elements: readonly PageElement[],
  items: readonly PageItem[],
  layers: readonly PageLayer[],
): PageCategory | null {
  if (elements.length === 0 && items.length === 0) return null;
  const has = (pattern: RegExp, filter: (element: PageElement) => boolean = () => true): boolean =>
    elements.some((element) => filter(element) && pattern.test(element.name));
  const layerText = [
    ...layers.map(({ name }) => name),
    ...items
      .filter((item) => item.layer > 0)
      .map((item) => (item.kind === "element" ? item.element.name : item.text)),
  ].join(" ");
  if (layers.length > 0 && /cookie|consent|gdpr/i.test(layerText)) return "manage-cookies";
  if (layers.some(({ isModal }) => isModal)) return "overlay";
  if (has(/captcha|not a robot/i)) return "captcha";
  if (has(/card number|\bcvv?c?\b|security code|expiry|expiration/i, isInput)) return "payment";
  if (elements.some(({ inputType }) => inputType === "password")) return "auth";
  const { pathname = "/", search = "" } = URL.parse(url) ?? {};
  if (/[?&](?:q|query|search|s|keyword)=./i.test(search)) return "search-results";
  if (has(/add to (?:cart|basket|bag)|buy now/i)) return "item";
  if (
    elements.filter((element) => isInput(element) && element.place === "viewport").length >=
    formSize
  ) {
    return "form";
  }
  if (pathname === "/") return "homepage";
  const repeated = new Map<string, number>();
  for (const { context, role, name } of elements) {
    if (context !== null)
      repeated.set(`${role} ${name}`, (repeated.get(`${role} ${name}`) ?? 0) + 1);
  }
  if ([...repeated.values()].some((count) => count >= feedSize)) return "data-feed";
  return "other";
}

function isInput({ id }: PageElement): boolean {
  return id.startsWith("I");
}
