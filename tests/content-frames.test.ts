import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ScrapeRequest } from "../src/pages/actions/action.ts";
import { scrapePage } from "../src/pages/scrape/scrape.ts";
import type { ScrapeResult } from "../src/pages/scrape/scrape-result.ts";
import { PageLab } from "./support/page-lab.ts";
import { wholePage } from "./support/scrape-request.ts";

const never = new AbortController().signal;

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

async function scrape(request: Partial<ScrapeRequest> = {}): Promise<ScrapeResult> {
  const page = await lab.browser.driver.activePage();
  return scrapePage(page, { ...wholePage, ...request }, null, never);
}

async function markdownOf(html: string, request: Partial<ScrapeRequest> = {}): Promise<string> {
  await lab.open(html);
  return (await scrape(request)).markdown;
}

describe("what stands in iframes", () => {
  test("of the same and of another site, nested ones too, is at its place", async () => {
    lab.serve("/leaf", `<!doctype html><h2>Leaf</h2><p>Of <a href="x">another</a> site.</p>`);
    lab.serve(
      "/branch",
      `<!doctype html><title>Branch</title><p>Before.</p><iframe src="${lab.otherUrl}/leaf"></iframe><ul><li>After</ul>`,
    );
    expect(
      await markdownOf(
        `<h1>Trunk</h1><iframe src="/branch" width=500 height=400></iframe><p>End.</p>
        <x-y></x-y><script>document.querySelector("x-y").attachShadow({ mode: "open" }).innerHTML =
        '<iframe srcdoc="<p>In a shadow</p>"></iframe>'</script>`,
      ),
    ).toBe(
      `# Trunk\n\nBefore.\n\n## Leaf\n\nOf [another](${lab.otherUrl}/x) site.\n\n- After\n\nEnd.\n\nIn a shadow`,
    );
  });

  test("is left out where nobody sees it or it is advertising, and hidden parts of it, too", async () => {
    lab.serve("/inner", "<!doctype html><p>inner</p>");
    const unseen = [
      "display:none",
      "visibility:hidden",
      "opacity:0",
      "position:absolute;left:-9999px",
      "width:1px;height:1px",
    ].map((style) => `<iframe src="/inner" style="${style}"></iframe>`);
    expect(
      await markdownOf(
        `<p>page</p><div hidden><iframe src="/inner"></iframe></div>${unseen.join("")}
        <iframe src="/inner" id="google_ads_iframe_/1/top_0"></iframe><iframe src="/inner" title="3rd party ad content"></iframe>
        <iframe class="address upload" srcdoc="<p>address</p>"></iframe>
        <iframe srcdoc="<p>seen</p><p hidden>not</p><script>1</script><nav>menu</nav>"></iframe>`,
        { ignoredTags: ["nav"] },
      ),
    ).toBe("page\n\naddress\n\nseen");
    expect((await scrape({ ignoredTags: ["IFRAME"] })).markdown).toBe("page");
  });

  test("is all of a page of frames", async () => {
    lab.serve("/left", "<!doctype html><p>left</p>");
    lab.serve("/right", "<!doctype html><p>right</p>");
    expect(
      await markdownOf(
        `<frameset cols="50%,50%"><frame src="/left"><frame src="/right"></frameset>`,
      ),
    ).toBe("left\n\nright");
  });

  test("is what a selector gives that names one, or what is around one", async () => {
    await lab.open(
      `<p>page</p><iframe id=a srcdoc="<p>first</p><img src=/i.png alt=Lamp width=99 height=99>"></iframe>
      <div id=b><iframe srcdoc="<p>second</p>"></iframe></div>`,
    );
    const first = await scrape({ selector: "#a", includeImages: true });
    const image = `${lab.site.url}/i.png`;
    expect(first.markdown).toBe(`first\n\n![Lamp](${image})`);
    expect(first.images).toEqual([{ url: image, category: "content_image", description: "Lamp" }]);
    expect((await scrape({ selector: "#b" })).markdown).toBe("second");
    expect((await scrape({ selector: "p" })).markdown).toBe("page");
  });

  test("belongs to the main content only where it stands in it", async () => {
    const sentence = "The lamp shines all night long, and nobody knows why it does. ";
    const text = `<p>${sentence.repeat(8)}</p>`;
    const html = `<nav>Menu</nav><main><article><h1>The lamp</h1>${text}
      <iframe width=600 height=300 srcdoc="<p>${"A table of the lamps of the north, and of those who keep them. ".repeat(6)}</p>"></iframe>
      ${text}</article></main><aside><iframe srcdoc="<p>Buy a lamp</p>"></iframe></aside>
      <footer><iframe srcdoc="<p>Imprint</p>"></iframe></footer>`;
    const markdown = await markdownOf(html, { onlyMainContent: true });
    expect(markdown.match(/shines all night/g)).toHaveLength(16);
    expect(markdown).toContain("lamps of the north");
    expect(markdown).not.toMatch(/Menu|Buy a lamp|Imprint/);
    const app = `<nav>Menu</nav><iframe width=900 height=600 srcdoc="<h1>Text</h1>${text}${text}"></iframe>`;
    const framed = await markdownOf(app, { onlyMainContent: true });
    expect(framed.match(/shines all night/g)).toHaveLength(16);
    expect(framed).not.toContain("Menu");
  });

  test("is read where trusted types are asked for, and changes nothing on the page", async () => {
    const policy = `<meta http-equiv="Content-Security-Policy" content="require-trusted-types-for 'script'; trusted-types none">`;
    lab.serve("/guarded", `<!doctype html>${policy}<p>guarded frame</p>`);
    await lab.open(`${policy}<p>guarded page</p><iframe src="/guarded"></iframe>`);
    const before = await lab.evaluate("document.documentElement.outerHTML");
    expect((await scrape()).markdown).toBe("guarded page\n\nguarded frame");
    expect(await lab.evaluate("document.documentElement.outerHTML")).toBe(before);
  });

  test("has bounds: levels, number and size", async () => {
    const nested = (level: number): string =>
      `<p>level ${level}</p>${level === 5 ? "" : `<iframe src="/level-${level + 1}" width=500 height=500></iframe>`}`;
    for (const level of [1, 2, 3, 4, 5]) lab.serve(`/level-${level}`, nested(level));
    expect(await markdownOf(nested(0))).toBe("level 0\n\nlevel 1\n\nlevel 2\n\nlevel 3");
    const many = Array.from({ length: 25 }, (_, n) => `<iframe srcdoc="<p>n${n}.</p>"></iframe>`);
    const markdown = await markdownOf(many.join(""));
    expect(markdown.match(/n\d+\./g)).toEqual(Array.from({ length: 20 }, (_, n) => `n${n}.`));
    await lab.open(
      `<p>page</p><iframe srcdoc="<script>document.write('<p>long</p>'.repeat(15000) + '<p>end</p>')</script>"></iframe>`,
    );
    const long = await scrape();
    expect(long.isTruncated).toBe(true);
    expect(long.markdown).toMatch(/^page\n\nlong\n\nlong/);
    expect(long.markdown).not.toContain("end");
  }, 60_000);
});

describe("what stands in iframes that have processes of their own", () => {
  let shared: PageLab;

  beforeAll(async () => {
    shared = lab;
    // The full browser keeps sites apart, the headless shell does not.
    lab = await PageLab.start({ browserType: "chrome" });
  }, 60_000);

  afterAll(async () => {
    await lab.dispose();
    lab = shared;
  });

  test("is at its place", async () => {
    lab.serve("/leaf", `<!doctype html><p>Leaf</p><iframe src="${lab.site.url}/root"></iframe>`);
    lab.serve("/root", "<!doctype html><p>Root</p>");
    const markdown = await markdownOf(`<p>Trunk</p><iframe src="${lab.otherUrl}/leaf"></iframe>`);
    expect((await lab.browser.driver.activePage()).sessionIds().size).toBeGreaterThan(1);
    expect(markdown).toBe("Trunk\n\nLeaf\n\nRoot");
  });

  test("is left out where the frame does not answer, and the others are not", async () => {
    lab.serve(
      "/hung",
      `<!doctype html><p>hung</p><script>onmessage = () => {
        parent.postMessage("hanging", "*");
        setTimeout(() => { const end = Date.now() + 20_000; while (Date.now() < end); }, 0);
      }</script>`,
    );
    await lab.open(
      `<p>page</p><iframe src="${lab.otherUrl}/hung"></iframe><iframe srcdoc="<p>lively</p>"></iframe>`,
    );
    await lab.evaluate(
      `new Promise((resolve) => { onmessage = resolve; frames[0].postMessage("hang", "*") })`,
    );
    const page = await lab.browser.driver.activePage();
    expect(page.sessionIds().size).toBeGreaterThan(1);
    expect((await scrape()).markdown).toBe("page\n\nlively");
  }, 30_000);
});
