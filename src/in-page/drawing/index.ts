/**
 * The script that puts pictures of a page together and draws on them: on a canvas of its own, which
 * the page neither sees nor has in its document.
 */
import type { DrawRequest, Mark } from "../../pages/drawing-protocol.ts";

/** Neighbours differ, and each stands out on white and on black. */
const colours = ["#e6194b", "#0a7cff", "#0b8a3a", "#c2410c", "#7c3aed", "#0e7490", "#be185d"];
/** In CSS pixels, of a picture that has them all; smaller ones must stay legible. */
const fontSize = 12;
const paddingSize = 3;
const leastZoom = 0.75;
/** In pixels. */
const slack = 3;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Answers the picture as base64. */
export async function draw(request: DrawRequest): Promise<string> {
  const { width, height, tiles, marks, type, quality } = request;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser has no canvas");
  for (const { data, y } of tiles) {
    const picture = await createImageBitmap(new Blob([bytesOf(data)], { type: request.tileType }));
    context.drawImage(picture, 0, y);
    picture.close();
  }
  const labels: Place[] = [];
  for (const [index, mark] of marks.entries()) {
    const colour = colours[index % colours.length] ?? "#e6194b";
    drawMark(context, mark, colour, Math.max(leastZoom, request.density), marks, labels);
  }
  return base64Of(await canvas.convertToBlob({ type, quality }));
}

function drawMark(
  context: OffscreenCanvasRenderingContext2D,
  mark: Mark,
  colour: string,
  zoom: number,
  marks: readonly Mark[],
  labels: Place[],
): void {
  const { x, y, width, height, label } = mark;
  const fontPixels = Math.round(fontSize * zoom);
  const padding = Math.round(paddingSize * zoom);
  context.lineWidth = 4 * zoom;
  context.strokeStyle = "rgba(255, 255, 255, 0.85)";
  context.strokeRect(x, y, width, height);
  context.lineWidth = 2 * zoom;
  context.strokeStyle = colour;
  context.strokeRect(x, y, width, height);
  if (label === "") return;
  context.font = `600 ${fontPixels}px system-ui, sans-serif`;
  context.textBaseline = "top";
  const size = {
    width: Math.ceil(context.measureText(label).width) + padding * 2,
    height: fontPixels + padding * 2,
  };
  const place = freePlace(mark, size, context.canvas, marks, labels);
  labels.push(place);
  context.fillStyle = colour;
  context.fillRect(place.x, place.y, place.width, place.height);
  context.fillStyle = "#ffffff";
  context.fillText(label, place.x + padding, place.y + padding);
}

/**
 * Above the box, beside it or below, where no other label and no other box is: a label on another
 * box would be read as that one's. Else in one of its own corners, where no other label stands.
 */
function freePlace(
  mark: Mark,
  size: { readonly width: number; readonly height: number },
  canvas: OffscreenCanvas,
  marks: readonly Mark[],
  labels: readonly Place[],
): Place {
  const { x, y, width, height } = mark;
  const place = (left: number, top: number): Place => ({
    ...size,
    x: Math.min(Math.max(left, 0), Math.max(0, canvas.width - size.width)),
    y: Math.min(Math.max(top, 0), Math.max(0, canvas.height - size.height)),
  });
  const right = x + width - size.width;
  const outside = [
    place(x, y - size.height),
    place(right, y - size.height),
    place(x + width, y),
    place(x - size.width, y),
    place(x, y + height),
  ];
  const inside = [place(right, y), place(x, y), place(right, y + height - size.height)];
  const others = marks.filter((other) => other !== mark && !contains(other, mark));
  const isFree = (at: Place) => !labels.some((label) => overlap(at, label));
  return (
    outside.find((at) => isFree(at) && !others.some((other) => overlap(inner(at), other))) ??
    inside.find(isFree) ??
    outside.find(isFree) ??
    place(x, y)
  );
}

/** Boxes side by side differ by some pixels in height: touching one is not standing on it. */
function inner({ x, y, width, height }: Place): Place {
  return { x: x + slack, y: y + slack, width: width - 2 * slack, height: height - 2 * slack };
}

function contains(outer: Place, within: Place): boolean {
  return (
    outer.x <= within.x &&
    outer.y <= within.y &&
    outer.x + outer.width >= within.x + within.width &&
    outer.y + outer.height >= within.y + within.height
  );
}

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

async function base64Of(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  // In parts: a function takes only so many arguments.
  for (let start = 0; start < bytes.length; start += 32_768) {
    text += String.fromCharCode(...bytes.subarray(start, start + 32_768));
  }
  return btoa(text);
}
