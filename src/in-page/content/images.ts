import { type ContentImage, type ImageCategory, mostImages } from "../../pages/content-protocol.ts";
import { imageSource } from "./copy.ts";

/** Up to this size, in CSS pixels, a picture is a sign and not content. */
const iconSize = 48;

/** The pictures below an element, each once, with what they are for. */
export function imagesOf(root: Element, hasLayout: boolean): readonly ContentImage[] {
  const found = new Map<string, ContentImage>();
  const { baseURI } = root.ownerDocument;
  const add = (key: string, image: ContentImage): void => {
    if (found.size < mostImages && !found.has(key)) found.set(key, image);
  };
  if (root === root.ownerDocument.body) {
    for (const link of root.ownerDocument.querySelectorAll(
      'link[rel~="icon"], link[rel="apple-touch-icon"]',
    )) {
      const url = URL.parse(link.getAttribute("href") ?? "", baseURI)?.href ?? null;
      if (url !== null) add(url, { url, category: "favicon", description: null });
    }
  }
  for (const element of root.querySelectorAll("img, svg, picture > source")) {
    if (hasLayout && element.localName !== "source" && !element.checkVisibility()) continue;
    if (element.localName === "svg") {
      const description =
        element.querySelector("title")?.textContent?.trim() || element.getAttribute("aria-label");
      const category = isSmall(element, hasLayout) ? "svg_icon" : "svg_content";
      add(`svg:${found.size}`, { url: null, category, description: description ?? null });
      continue;
    }
    if (element.localName === "source") continue;
    const url = imageSource(element, baseURI);
    if (url === null) continue;
    add(url, {
      url,
      category: categoryOf(element, url, hasLayout),
      description: descriptionOf(element),
    });
  }
  return [...found.values()];
}

function categoryOf(image: Element, url: string, hasLayout: boolean): ImageCategory {
  if (/\.svg(?:$|[?#])/i.test(url)) return isSmall(image, hasLayout) ? "svg_icon" : "svg_content";
  if (isSmall(image, hasLayout)) return "icon";
  const role = image.getAttribute("role");
  const isMute = image.getAttribute("alt") === "" || role === "presentation" || role === "none";
  return isMute ? "decorative" : "content_image";
}

function isSmall(image: Element, hasLayout: boolean): boolean {
  const { width, height } = hasLayout
    ? image.getBoundingClientRect()
    : {
        width: Number(image.getAttribute("width") ?? Number.NaN),
        height: Number(image.getAttribute("height") ?? Number.NaN),
      };
  return width > 0 && height > 0 && width <= iconSize && height <= iconSize;
}

function descriptionOf(image: Element): string | null {
  const text = image.getAttribute("alt")?.trim() || image.getAttribute("title")?.trim();
  if (text !== undefined && text !== "") return text;
  return image.closest("figure")?.querySelector("figcaption")?.textContent?.trim() || null;
}
