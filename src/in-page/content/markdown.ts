import { gfm } from "@joplin/turndown-plugin-gfm";
import TurndownService from "turndown";

/** Classes by which highlighters name the language of a code block. */
const languageClass = /(?:^|\s)(?:lang(?:uage)?-|brush:\s*|highlight-source-)([\w#+.-]+)/;

export interface MarkdownOptions {
  readonly includeLinks: boolean;
  readonly includeImages: boolean;
  /** Links are named instead of written out. */
  readonly placeholders: Map<string, string> | null;
}

/** An element of a copied document as GitHub-flavoured markdown. */
export function markdownOf(root: Element, options: MarkdownOptions): string {
  const service = new TurndownService({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
    emDelimiter: "*",
    hr: "---",
  });
  service.use(gfm);
  addRules(service, options);
  // A node, never its text: text would be parsed, which some pages forbid.
  const markdown = service.turndown(root as HTMLElement);
  return markdown
    .replace(/[ \t]+$/gm, (spaces) => (spaces === "  " ? spaces : ""))
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function addRules(service: TurndownService, options: MarkdownOptions): void {
  const { includeLinks, includeImages, placeholders } = options;
  service.addRule("link", {
    filter: "a",
    replacement: (content, node) => {
      const text = content.replace(/\s*\n\s*/g, " ").trim();
      const url = (node as Element).getAttribute("href");
      if (text === "") return "";
      if (!includeLinks || url === null) return text;
      return `[${text}](${placeholders === null ? destinationOf(url) : placeholderFor(url, placeholders)})`;
    },
  });
  service.addRule("image", {
    filter: "img",
    replacement: (_content, node) => {
      const image = node as Element;
      const url = image.getAttribute("src");
      if (!includeImages || url === null) return "";
      const alternative = (image.getAttribute("alt") ?? "")
        .replace(/\s+/g, " ")
        .replace(/[[\]]/g, "");
      return `![${alternative}](${destinationOf(url)})`;
    },
  });
  service.addRule("code-block", {
    filter: "pre",
    replacement: (_content, node) => {
      const block = node as Element;
      const code = block.querySelector("code");
      const language = languageClass.exec(`${block.className} ${code?.className ?? ""}`)?.[1] ?? "";
      const text = (block.textContent ?? "").replace(/^\n|\n+$/g, "");
      const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
      const fence = "`".repeat(longest + 1);
      return `\n\n${fence}${language}\n${text}\n${fence}\n\n`;
    },
  });
  const numbers = new WeakMap<Node, number>();
  service.addRule("item", {
    filter: "li",
    replacement: (content, node) => {
      const list = node.parentNode;
      const isOrdered = list instanceof Element && list.localName === "ol";
      const number = isOrdered ? nextNumber(list, numbers) : 0;
      const mark = isOrdered ? `${number}. ` : "- ";
      const text = content.trim().replace(/\n/g, `\n${" ".repeat(mark.length)}`);
      return `${mark}${text}${node.nextSibling === null ? "" : "\n"}`;
    },
  });
  service.addRule("term", {
    filter: "dt",
    replacement: (content) => `\n\n**${content.trim()}**\n`,
  });
  service.addRule("definition", {
    filter: "dd",
    replacement: (content) => `\n: ${content.trim().replace(/\n/g, "\n  ")}\n`,
  });
  service.addRule("summary", {
    filter: "summary",
    replacement: (content) => `\n\n**${content.trim()}**\n\n`,
  });
  service.addRule("caption", {
    filter: ["figcaption", "caption"],
    replacement: (content) => (content.trim() === "" ? "" : `\n\n*${content.trim()}*\n\n`),
  });
}

function nextNumber(list: Element, numbers: WeakMap<Node, number>): number {
  const first = Number(list.getAttribute("start") ?? 1);
  const number = numbers.get(list) ?? (Number.isInteger(first) ? first : 1);
  numbers.set(list, number + 1);
  return number;
}

function placeholderFor(url: string, placeholders: Map<string, string>): string {
  for (const [name, known] of placeholders) if (known === url) return name;
  const name = `link${placeholders.size + 1}`;
  placeholders.set(name, url);
  return name;
}

/** Parentheses and spaces would end a destination early. */
function destinationOf(url: string): string {
  return url.replace(/[()\s]/g, (character) =>
    encodeURIComponent(character).replace("(", "%28").replace(")", "%29"),
  );
}
