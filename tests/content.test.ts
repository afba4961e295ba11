import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContentRequest, PageContent } from "../src/pages/content-protocol.ts";
import { PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

const usual: ContentRequest = {
  rootKey: null,
  source: null,
  onlyMainContent: false,
  includeLinks: true,
  includeImages: true,
  ignoredTags: [],
  useLinkPlaceholders: false,
  maxCharacters: 1_000_000,
  frames: {},
};

async function contentOf(
  html: string,
  request: Partial<ContentRequest> = {},
): Promise<PageContent> {
  await lab.open(html);
  const page = await lab.browser.driver.activePage();
  const [main] = page.frames();
  if (main === undefined) throw new Error("the page has no frame");
  return page.call(main, "content", "contentOf", [{ ...usual, ...request }]);
}

async function markdownOf(html: string, request: Partial<ContentRequest> = {}): Promise<string> {
  return (await contentOf(html, request)).markdown;
}

describe("a page as markdown", () => {
  test.each([
    ["headings", "<h1>A</h1><h3>B</h3>", "# A\n\n### B"],
    ["emphasis", "<p>a <b>b</b> <em>c</em> <s>d</s></p>", "a **b** *c* ~~d~~"],
    ["nested lists", "<ul><li>a<ol><li>b</ol></ul>", "- a\n  1. b"],
    ["quotes", "<blockquote><p>said</p></blockquote>", "> said"],
    ["line breaks", "<p>a<br>b</p>", "a  \nb"],
    ["definitions", "<dl><dt>Term<dd>Meaning</dl>", "**Term**\n: Meaning"],
    ["rules", "<p>a</p><hr><p>b</p>", "a\n\n---\n\nb"],
    [
      "tables",
      "<table><tr><th>a<th>b<tr><td>1<td>2</table>",
      "| a   | b   |\n| --- | --- |\n| 1   | 2   |",
    ],
    [
      "formulas",
      "<p><math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></semantics></math></p>",
      "$x^2$",
    ],
    ["what markdown would take for itself", "<p>1. not *a* list</p>", "1\\. not \\*a\\* list"],
  ])("keeps %s", async (_what, html, markdown) => {
    expect(await markdownOf(html)).toBe(markdown);
  });

  test("keeps code as it stands, with its language", async () => {
    expect(
      await markdownOf('<pre><code class="language-js">if (a) {\n  b();\n}\n</code></pre>'),
    ).toBe("```js\nif (a) {\n  b();\n}\n```");
    expect(await markdownOf("<pre>a ``` b</pre>")).toBe("````\na ``` b\n````");
  });

  test("makes links and images absolute, or leaves them out", async () => {
    const html =
      '<p><a href="/x">there</a> <img src="/i.png" alt="A lamp" width=100 height=100></p>';
    const { url } = lab.site;
    expect(await markdownOf(html)).toBe(`[there](${url}/x) ![A lamp](${url}/i.png)`);
    expect(await markdownOf(html, { includeLinks: false, includeImages: false })).toBe("there");
    const { markdown, links } = await contentOf(html, {
      useLinkPlaceholders: true,
      includeImages: false,
    });
    expect(markdown).toBe("[there](link1)");
    expect(links).toEqual({ link1: `${url}/x` });
  });

  test("leaves out what cannot be seen and what is ignored, and goes into shadow roots", async () => {
    expect(
      await markdownOf(
        `<p>seen</p><p hidden>a</p><p style="visibility:hidden">b</p><script>c</script><nav>menu</nav>
        <details><summary>More</summary><p>folded</p></details><x-y></x-y><script>
        document.querySelector("x-y").attachShadow({ mode: "open" }).innerHTML = "<p>shadow</p>"</script>`,
        { ignoredTags: ["nav"] },
      ),
    ).toBe("seen\n\n**More**\n\nfolded\n\nshadow");
  });

  test("lists its images by what they are for", async () => {
    const { images } = await contentOf(
      `<link rel=icon href="/f.ico"><img src="/a.png" alt=Lamp width=200 height=200><img src="/b.png" alt="" width=200 height=200>
      <img src="/c.png" width=16 height=16><img data-src="/d.png" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt=Lazy width=200 height=200>
      <svg width=100 height=100><title>Chart</title></svg>`,
    );
    const { url } = lab.site;
    expect(images).toEqual([
      { url: `${url}/f.ico`, category: "favicon", description: null },
      { url: `${url}/a.png`, category: "content_image", description: "Lamp" },
      { url: `${url}/b.png`, category: "decorative", description: null },
      { url: `${url}/c.png`, category: "icon", description: null },
      { url: `${url}/d.png`, category: "content_image", description: "Lazy" },
      { url: null, category: "svg_content", description: "Chart" },
    ]);
  });
});

describe("the main content", () => {
  const sentence = "The lamp shines all night long, and nobody knows why it does. ";

  test("is an article without what goes round it", async () => {
    const markdown = await markdownOf(
      `<header><nav><a href="/">Home</a></nav></header><main><article><h1>The lamp</h1><p class=byline>By Ada, 3 May</p>
      <p>${sentence.repeat(8)}</p><figure><img src="/a.png"><figcaption>A caption of it</figcaption></figure><p>${sentence.repeat(8)}</p>
      <div class="related-posts"><a href="/1">Ten more lamps</a></div><p>Subscribe to our newsletter.</p></article></main>
      <aside>Buy now</aside><footer>All rights reserved</footer>`,
      { onlyMainContent: true, includeImages: false },
    );
    expect(markdown.match(/shines all night/g)).toHaveLength(16);
    for (const around of [
      "Home",
      "By Ada",
      "caption",
      "Ten more",
      "Subscribe",
      "Buy now",
      "rights reserved",
    ]) {
      expect(markdown).not.toContain(around);
    }
  });

  test("of a page that is no article is everything but what goes round it", async () => {
    const items = Array.from(
      { length: 30 },
      (_, index) => `<li><a href="/${index}">Product ${index}</a> $${index}</li>`,
    );
    const markdown = await markdownOf(
      `<header><nav><a href="/">Home</a></nav></header><main><h1>Shop</h1><ul>${items.join("")}</ul></main><footer>Imprint</footer>`,
      { onlyMainContent: true },
    );
    expect(markdown).toContain("Product 29");
    expect(markdown).not.toMatch(/Home|Imprint/);
  });
});

describe("whatever the page is like", () => {
  test("it is not changed", async () => {
    await lab.open("<p>text</p><img src=/x.png>");
    await lab.evaluate(
      `window.changes = 0; new MutationObserver((records) => { changes += records.length }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })`,
    );
    const before = await lab.evaluate("document.documentElement.outerHTML");
    const page = await lab.browser.driver.activePage();
    const [main] = page.frames();
    if (main === undefined) throw new Error("the page has no frame");
    for (const onlyMainContent of [true, false]) {
      await page.call(main, "content", "contentOf", [{ ...usual, onlyMainContent }]);
    }
    expect(await lab.evaluate("document.documentElement.outerHTML")).toBe(before);
    expect(await lab.evaluate("changes")).toBe(0);
  });

  test("trusted types do not keep it from being read", async () => {
    const policy = `<meta http-equiv="Content-Security-Policy" content="require-trusted-types-for 'script'; trusted-types none">`;
    for (const onlyMainContent of [true, false]) {
      expect(
        await markdownOf(`${policy}<article><p>${"guarded text ".repeat(60)}</p></article>`, {
          onlyMainContent,
        }),
      ).toContain("guarded text");
    }
  });

  test("2,000 levels of nesting and 50,000 elements are read", async () => {
    const deep = await markdownOf(`<body><script>
      let at = document.body; for (let i = 0; i < 2000; i++) { const div = document.createElement("div"); at.append(div); at = div }
      at.textContent = "the bottom"</script>`);
    expect(deep).toBe("the bottom");
    const wide = await markdownOf(
      `<div id=wide></div><script>wide.innerHTML = "<p>x</p>".repeat(50000)</script>`,
    );
    expect(wide.length).toBeGreaterThan(100_000);
  }, 60_000);

  test("its markdown has the length that is asked for at most", async () => {
    expect(await contentOf(`<p>${"x".repeat(100)}</p>`, { maxCharacters: 10 })).toMatchObject({
      markdown: "xxxxxxxxxx",
      isTruncated: true,
    });
  });
});
