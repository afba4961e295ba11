import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { printPdf } from "../src/pages/screenshot/pdf.ts";
import {
  type Screenshot,
  type ScreenshotRequest,
  takeScreenshot,
} from "../src/pages/screenshot/screenshot.ts";
import { PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

const usual: ScreenshotRequest = {
  area: "viewport",
  format: "png",
  quality: 80,
  scale: null,
  marks: [],
};

async function shoot(request: Partial<ScreenshotRequest> = {}): Promise<Screenshot> {
  return takeScreenshot(await lab.browser.driver.activePage(), { ...usual, ...request });
}

/** Decodes a picture in a page of its own; answers its size and the colours at some places. */
async function decode(picture: Screenshot, ...places: readonly (readonly [number, number])[]) {
  const { driver } = lab.browser;
  const page = await driver.context.newPage();
  try {
    await page.goto("about:blank");
    return await page.evaluate<{
      readonly width: number;
      readonly height: number;
      readonly colours: readonly string[];
    }>(`(async () => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(picture.bytes.toString("base64"))}), (c) => c.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: ${JSON.stringify(picture.type)} }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const colours = ${JSON.stringify(places)}.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.subarray(0, 3)].join());
      return { width: bitmap.width, height: bitmap.height, colours };
    })()`);
  } finally {
    await page.close();
  }
}

const stripes = `<style>body { margin: 0 } div { height: 1000px }</style>
  <div style="background:#f00"></div><div style="background:#0f0"></div><div style="background:#00f"></div>`;

describe("a picture", () => {
  test("shows the viewport where it is scrolled to, in each format", async () => {
    await lab.open(stripes);
    await lab.evaluate("scrollTo(0, 1000)");
    for (const format of ["png", "jpeg", "webp"] as const) {
      const picture = await shoot({ format, quality: 100 });
      expect(picture.type).toBe(`image/${format}`);
      const { width, height, colours } = await decode(picture, [600, 500]);
      expect([width, height]).toEqual([1280, 1080]);
      const [red = 0, green = 0, blue = 0] = (colours[0] ?? "").split(",").map(Number);
      expect([red < 20, green > 235, blue < 20], format).toEqual([true, true, true]);
    }
    expect(await lab.evaluate("scrollY")).toBe(1000);
  });

  test("of the whole page has all of it, also of a very long one", async () => {
    await lab.open(stripes);
    const whole = await decode(await shoot({ area: "page" }), [10, 500], [10, 1500], [10, 2500]);
    expect(whole).toEqual({
      width: 1280,
      height: 3000,
      colours: ["255,0,0", "0,255,0", "0,0,255"],
    });
    await lab.open(
      `<style>body { margin: 0 }</style><div style="height:29000px;background:#fff"></div><div style="height:1000px;background:#f0f"></div>`,
    );
    const long = await decode(await shoot({ area: "page" }), [10, 100], [10, 28_990], [10, 29_500]);
    expect(long).toEqual({
      width: 1280,
      height: 30_000,
      colours: ["255,255,255", "255,255,255", "255,0,255"],
    });
  }, 60_000);

  test("has the scale that is asked for, and an even size", async () => {
    await lab.open(stripes);
    expect(await shoot({ scale: 0.5 })).toMatchObject({ width: 640, height: 540 });
    const odd = await shoot({ scale: 0.33 });
    expect([odd.width % 2, odd.height % 2]).toEqual([0, 0]);
    expect(await decode(odd)).toMatchObject({ width: odd.width, height: odd.height });
  });

  test("of a page with two pixels for each CSS pixel has them, or as many as are asked for", async () => {
    const { connection, sessionId } = await lab.browser.driver.activePage();
    await connection.command(
      "Emulation.setDeviceMetricsOverride",
      { width: 800, height: 600, deviceScaleFactor: 2, mobile: false },
      { sessionId },
    );
    try {
      await lab.open(
        `<body style="margin:0;background:#fff"><div style="position:absolute;left:100px;top:100px;width:100px;height:100px;background:#f00">`,
      );
      const dense = await shoot();
      expect(dense).toMatchObject({ width: 1600, height: 1200 });
      expect(await decode(dense, [190, 190], [210, 210], [390, 390], [410, 410])).toEqual({
        width: 1600,
        height: 1200,
        colours: ["255,255,255", "255,0,0", "255,0,0", "255,255,255"],
      });
      const plain = await shoot({ scale: 1 });
      expect(await decode(plain, [90, 90], [150, 150])).toEqual({
        width: 800,
        height: 600,
        colours: ["255,255,255", "255,0,0"],
      });
      const box = { x: 300, y: 300, width: 100, height: 100 };
      const marked = await decode(
        await shoot({ marks: [{ box, label: "" }] }),
        [700, 600],
        [700, 700],
      );
      expect(marked).toMatchObject({ width: 1600, height: 1200 });
      expect(marked.colours[0]).not.toBe("255,255,255");
      expect(marked.colours[1]).toBe("255,255,255");
    } finally {
      await connection.command("Emulation.clearDeviceMetricsOverride", undefined, { sessionId });
    }
  });

  test("that is longer than its format can say is refused, and answered in one that can", async () => {
    await lab.open(`<body style="margin:0"><div style="height:20000px">`);
    await expect(shoot({ area: "page", format: "webp" })).rejects.toMatchObject({
      code: "answer_too_large",
      message: expect.stringContaining("another format"),
    });
    const half = await shoot({ area: "page", format: "webp", scale: 0.5 });
    expect(await decode(half)).toMatchObject({ width: 640, height: 10_000 });
    const jpeg = await shoot({ area: "page", format: "jpeg" });
    expect(await decode(jpeg)).toMatchObject({ width: 1280, height: 20_000 });
  }, 60_000);

  test("marks a box where it is on a scrolled page, in the window and on the whole page", async () => {
    await lab.open(`<body style="margin:0;background:#fff"><div style="height:3000px">`);
    await lab.evaluate("scrollTo(0, 1000)");
    const marks = [{ box: { x: 100, y: 200, width: 100, height: 100 }, label: "" }];
    const inWindow = await decode(await shoot({ marks }), [150, 200], [150, 1050]);
    expect(inWindow.colours[0]).not.toBe("255,255,255");
    expect(inWindow.colours[1]).toBe("255,255,255");
    const whole = await decode(await shoot({ marks, area: "page" }), [150, 200], [150, 1200]);
    expect(whole.colours[0]).toBe("255,255,255");
    expect(whole.colours[1]).not.toBe("255,255,255");
  });

  test("that would be too large is refused with what to ask for", async () => {
    await lab.open(`<div style="height:200000px"></div>`);
    await expect(shoot({ area: "page" })).rejects.toMatchObject({
      code: "answer_too_large",
      message: expect.stringContaining("scale"),
    });
  });

  test("carries marks where the elements are, and the page notices nothing", async () => {
    await lab.open(`<style>body { margin: 0; background: #fff }</style>`);
    await lab.evaluate(
      `window.changes = 0; new MutationObserver((records) => { changes += records.length }).observe(document, { subtree: true, childList: true, attributes: true })`,
    );
    const box = { x: 100, y: 200, width: 300, height: 100 };
    const picture = await shoot({ marks: [{ box, label: "B1" }] });
    const { colours } = await decode(picture, [250, 200], [250, 250], [600, 600], [104, 190]);
    const [edge, inside, elsewhere, label] = colours;
    expect(edge).not.toBe("255,255,255");
    expect([inside, elsewhere]).toEqual(["255,255,255", "255,255,255"]);
    expect(label).not.toBe("255,255,255");
    expect(await lab.evaluate("changes")).toBe(0);
  });

  test("has no label on another element's box where there is room beside its own", async () => {
    await lab.open(`<style>body { margin: 0; background: #fff }</style>`);
    const boxes = [100, 120, 140].map((y) => ({ x: 100, y, width: 200, height: 18 }));
    const marks = boxes.map((box, index) => ({ box, label: `L${index + 1}` }));
    const places = boxes.map(({ y }) => [110, y + 9] as const);
    const { colours } = await decode(await shoot({ marks }), ...places);
    expect(colours).toEqual(["255,255,255", "255,255,255", "255,255,255"]);
  });

  test("of what is in the window sends the page no event, not at another scale either", async () => {
    await lab.open(stripes);
    await lab.evaluate(
      `window.events = []; for (const name of ["resize", "scroll", "visibilitychange", "blur"]) addEventListener(name, () => events.push(name), true)`,
    );
    await shoot({ scale: 2 });
    await shoot({
      format: "jpeg",
      marks: [{ box: { x: 1, y: 1, width: 9, height: 9 }, label: "L1" }],
    });
    await lab.evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
    expect(await lab.evaluate("events")).toEqual([]);
  });

  test("of a long page is of one piece where the layout depends on the window, and has what is fixed once", async () => {
    await lab.open(
      `<style>body { margin: 0 } div { height: 100vh } aside { position: fixed; top: 0; left: 0; width: 50px; height: 50px; background: #ff0 }</style><aside></aside>
      ${Array.from({ length: 10 }, (_, index) => `<div style="background:rgb(${index * 20},0,0)"></div>`).join("")}`,
    );
    await lab.evaluate("scrollTo(0, 500)");
    const places = Array.from({ length: 10 }, (_, index) => [600, index * 1080 + 540] as const);
    const tops = [25, 525, 8025].map((y) => [25, y] as const);
    const { height, colours } = await decode(await shoot({ area: "page" }), ...places, ...tops);
    expect(height).toBe(10_800);
    expect(colours.slice(0, 10)).toEqual(places.map((_, index) => `${index * 20},0,0`));
    expect(
      colours.slice(10).filter((colour) => colour === "255,255,0"),
      colours.slice(10).join(" "),
    ).toHaveLength(1);
    expect(await lab.evaluate("scrollY")).toBe(500);
  });

  test("of a page that blocks itself fails in time and says so", {
    tags: ["long"],
    timeout: 40_000,
  }, async () => {
    const { driver } = lab.browser;
    const { page } = await driver.activePage();
    await lab.open("<p>busy</p>");
    const begun = page.waitForEvent("console");
    page.evaluate("console.log('begun'); for (;;);").catch(() => {});
    await begun;
    await expect(shoot()).rejects.toMatchObject({ code: "page_failed" });
    await driver.context.newPage();
    await page.close({ runBeforeUnload: false });
  });
});

describe("a PDF", () => {
  const print = async (change: Partial<Parameters<typeof printPdf>[1]> = {}) =>
    printPdf(await lab.browser.driver.activePage(), {
      paper: "A4",
      isLandscape: false,
      printsBackground: true,
      scale: 1,
      marginInches: 0,
      pageRanges: "",
      ...change,
    });
  const pagesIn = (pdf: Buffer) => pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length;

  test("has the pages that are asked for", async () => {
    await lab.open(`<p style="break-after:page">1</p><p style="break-after:page">2</p><p>3</p>`);
    const whole = await print();
    expect(whole.subarray(0, 5).toString()).toBe("%PDF-");
    expect(pagesIn(whole)).toBe(3);
    expect(pagesIn(await print({ pageRanges: "2-3" }))).toBe(2);
    await expect(print({ pageRanges: "9" })).rejects.toMatchObject({ code: "invalid_request" });
  });
});
