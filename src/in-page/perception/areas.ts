import type { Box } from "../../pages/perception-protocol.ts";
import { boxOf, isVisible } from "./geometry.ts";

/** Where an area of an image map is drawn; null where its image is not to be seen. */
export function areaBox(area: HTMLAreaElement): Box | null {
  const map = area.closest("map");
  const root = area.getRootNode() as Document | ShadowRoot;
  const image =
    map === null
      ? null
      : root.querySelector(`img[usemap=${CSS.escape("#")}${CSS.escape(map.name)}]`);
  if (image === null || !isVisible(image)) return null;
  const box = boxOf(image);
  if (box === null) return null;
  const coordinates = area.coords.split(/[\s,;]+/).map(Number);
  if (area.shape === "default" || coordinates.some(Number.isNaN)) return box;
  const [a = 0, b = 0, c = 0, d = 0] = coordinates;
  if (/^circ/.test(area.shape))
    return { x: box.x + a - c, y: box.y + b - c, width: 2 * c, height: 2 * c };
  if (!/^poly/.test(area.shape)) return { x: box.x + a, y: box.y + b, width: c - a, height: d - b };
  const across = coordinates.filter((_, index) => index % 2 === 0);
  const down = coordinates.filter((_, index) => index % 2 === 1);
  const x = Math.min(...across);
  const y = Math.min(...down);
  return {
    x: box.x + x,
    y: box.y + y,
    width: Math.max(...across) - x,
    height: Math.max(...down) - y,
  };
}
