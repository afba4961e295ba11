import { messageOf, NightjarError } from "../../sessions/errors.ts";
import type { DrawRequest } from "../drawing-protocol.ts";
import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";
import { DriverCommandError } from "../driver/driver-connection.ts";
import type { Box } from "../perception-protocol.ts";

export const imageFormats = ["png", "jpeg", "webp"] as const;
export type ImageFormat = (typeof imageFormats)[number];

/** A box to draw, in CSS pixels of the tab's viewport. */
export interface ScreenshotMark {
  readonly box: Box;
  /** Stands beside the box; empty for none. */
  readonly label: string;
}

export interface ScreenshotRequest {
  /** What is in the window, or the whole page. */
  readonly area: "viewport" | "page";
  readonly format: ImageFormat;
  /** 1 to 100; of no meaning for PNG. */
  readonly quality: number;
  /** Pixels of the picture for each CSS pixel; null for as many as the page itself has. */
  readonly scale: number | null;
  readonly marks: readonly ScreenshotMark[];
}

export interface Screenshot {
  readonly bytes: Buffer;
  readonly type: `image/${ImageFormat}`;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
}

/** How long a picture may take from the first command to the last, in ms. */
const captureTimeoutMs = 10_000;
/** What large pictures may take longer, in ms: measured are 100 to 200. */
const extraMsPerMegapixel = 300;
/** A picture of more is neither useful nor answered: 60 screens of 1280 x 720. */
const mostPixels = 56_000_000;
/** PNG of photographs takes up to 3 bytes a pixel; above this, base64 and JSON of it would hold several times as much memory. */
const mostBytes = 64 * 1024 * 1024;
/** Chromium draws no surface that is longer than 16,384 pixels: longer pages are put together from tiles. */
const longestTile = 8_000;
/**
 * The longest side that each format can say. Chromium's encoders do not fail above: a WebP comes
 * squeezed, and a canvas of more than 65,535 pixels comes empty.
 */
const longestSides: Readonly<Record<ImageFormat, number>> = {
  png: 65_535,
  jpeg: 65_500,
  webp: 16_383,
};

/**
 * Takes a picture of a page. The page does not notice: nothing is scrolled, and marks are drawn on
 * the picture, not in the page. Only what is beyond the window cannot be had unnoticed: Chromium then
 * sends the page `resize` events of its own; it stays scrolled to where it was. Width and height are even, as video encoders need. Throws `page_failed` when the page
 * cannot be drawn in time, and `answer_too_large` for a picture that would be.
 */
export async function takeScreenshot(
  page: DrivenPage,
  request: ScreenshotRequest,
): Promise<Screenshot> {
  let deadline = performance.now() + captureTimeoutMs;
  const timeLeft = () => ({
    sessionId: page.sessionId,
    timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())),
  });
  try {
    const [{ cssVisualViewport, cssContentSize }, device] = await Promise.all([
      page.connection.command("Page.getLayoutMetrics", undefined, timeLeft()),
      densityOf(page, timeLeft().timeoutMs),
    ]);
    const scale = request.scale === null ? 1 : request.scale / device;
    const density = device * scale;
    const isPage = request.area === "page";
    const origin = isPage
      ? { x: 0, y: 0 }
      : { x: cssVisualViewport.pageX, y: cssVisualViewport.pageY };
    const size = isPage
      ? {
          width: Math.max(cssContentSize.width, cssVisualViewport.clientWidth),
          height: Math.max(cssContentSize.height, cssVisualViewport.clientHeight),
        }
      : { width: cssVisualViewport.clientWidth, height: cssVisualViewport.clientHeight };
    const isBeyondWindow =
      size.width > cssVisualViewport.clientWidth || size.height > cssVisualViewport.clientHeight;
    const width = even(size.width * density);
    const height = even(size.height * density);
    checkSize(width, height, request.format);
    deadline += ((width * height) / 1_000_000) * extraMsPerMegapixel;
    const tileHeight = longestTile / density;
    const isPlain = request.marks.length === 0 && size.height <= tileHeight;
    const tiles: { data: string; y: number }[] = [];
    for (let y = 0; y < size.height; y += tileHeight) {
      const { data } = await page.connection.command(
        "Page.captureScreenshot",
        {
          // What is drawn upon is kept exact until it is encoded at last.
          format: isPlain ? request.format : "png",
          ...(isPlain && request.format !== "png" && { quality: request.quality }),
          clip: {
            x: origin.x,
            y: origin.y + y,
            width: width / density,
            height: Math.min(tileHeight, height / density - y),
            scale,
          },
          captureBeyondViewport: isBeyondWindow,
          optimizeForSpeed: true,
        },
        timeLeft(),
      );
      tiles.push({ data, y: Math.round(y * density) });
    }
    if (isBeyondWindow) await scrollBack(page, cssVisualViewport, timeLeft().timeoutMs);
    const type = `image/${request.format}` as const;
    const shift = isPage
      ? { x: cssVisualViewport.pageX, y: cssVisualViewport.pageY }
      : { x: 0, y: 0 };
    const data = isPlain
      ? (tiles[0]?.data ?? "")
      : await draw(
          page,
          {
            tiles,
            tileType: "image/png",
            width,
            height,
            marks: request.marks.map(({ box, label }) => ({
              x: (box.x + shift.x) * density,
              y: (box.y + shift.y) * density,
              width: box.width * density,
              height: box.height * density,
              label,
            })),
            density,
            type,
            quality: request.quality / 100,
          },
          timeLeft().timeoutMs,
        );
    const bytes = Buffer.from(data, "base64");
    if (bytes.length > mostBytes) {
      throw new NightjarError(
        "answer_too_large",
        `The picture has ${bytes.length} bytes, more than the ${mostBytes} that are answered. Ask for JPEG or WebP, a smaller scale, or the viewport instead of the whole page.`,
      );
    }
    return { bytes, type, width, height };
  } catch (error) {
    if (error instanceof NightjarError) throw error;
    throw new NightjarError(
      "page_failed",
      `The page could not be drawn: ${wordsOf(error)}. It may be busy or have crashed; try again, or reload it.`,
      { cause: error },
    );
  }
}

/**
 * How many pixels the page has for each CSS pixel. Asked of the page: CDP's layout metrics are all in
 * CSS pixels where a CDP client emulates a density. 1 while there is no document that could tell.
 */
async function densityOf(page: DrivenPage, timeoutMs: number): Promise<number> {
  const [main] = page.frames();
  if (main === undefined) return 1;
  try {
    return await page.evaluate<number>(main, main.contextId, "devicePixelRatio", timeoutMs);
  } catch (error) {
    if (error instanceof FrameGoneError) return 1;
    throw error;
  }
}

/**
 * Chromium lays a page out in a window of one pixel between two tiles: where heights depend on the
 * window, the page is too short for a moment to stay scrolled as far as it was.
 */
async function scrollBack(
  page: DrivenPage,
  { pageX, pageY }: { readonly pageX: number; readonly pageY: number },
  timeoutMs: number,
): Promise<void> {
  const [main] = page.frames();
  if (main === undefined) return;
  const target = { left: pageX, top: pageY, behavior: "instant" };
  const expression = `if (scrollX !== ${pageX} || scrollY !== ${pageY}) scrollTo(${JSON.stringify(target)})`;
  await page.evaluate(main, main.contextId, expression, timeoutMs);
}

/** Runs in the page's isolated world; a page that just navigates has it again in a moment. */
async function draw(page: DrivenPage, request: DrawRequest, timeoutMs: number): Promise<string> {
  const [main] = page.frames();
  if (main === undefined) throw new FrameGoneError();
  return page.call<string>(main, "drawing", "draw", [request], timeoutMs);
}

function checkSize(width: number, height: number, format: ImageFormat): void {
  const longest = longestSides[format];
  if (Math.max(width, height) > longest) {
    const other = format === "webp" ? ", for another format" : "";
    throw new NightjarError(
      "answer_too_large",
      `The picture would have ${width} x ${height} pixels, and a ${format} has at most ${longest} on a side. Ask for a smaller scale${other}, or for the viewport instead of the whole page.`,
    );
  }
  if (width * height <= mostPixels) return;
  throw new NightjarError(
    "answer_too_large",
    `The picture would have ${width} x ${height} pixels, more than the ${mostPixels} that are answered. Ask for a smaller scale, or for the viewport instead of the whole page.`,
  );
}

function even(pixels: number): number {
  return Math.max(2, Math.floor(pixels / 2 + 0.001) * 2);
}

function wordsOf(error: unknown): string {
  return error instanceof DriverCommandError
    ? error.message.replace(/^[\w.]+: /, "").replace(/\.$/, "")
    : messageOf(error).replace(/\.$/, "");
}
