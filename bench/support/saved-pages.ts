import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Site } from "../../tests/support/site.ts";

export interface BenchPage {
  readonly name: string;
  readonly html: string;
}

/** The .html and .html.gz files of a directory and those in it. */
export async function savedPages(directory: string): Promise<readonly BenchPage[]> {
  const inside = await readdir(directory, { recursive: true });
  const pages: BenchPage[] = [];
  for (const file of inside.filter((name) => /\.html(?:\.gz)?$/.test(name)).sort()) {
    const bytes = await readFile(path.join(directory, file));
    const html = file.endsWith(".gz") ? await promisify(gunzip)(bytes) : bytes;
    pages.push({ name: path.basename(file).slice(0, 12), html: html.toString("utf8") });
  }
  return pages;
}

/** Serves one page at a time. Nothing else is loaded, and of saved pages no script runs: what they call is not there. */
export class PageSite {
  readonly url: string;
  readonly #site: Site;
  page: BenchPage = { name: "", html: "" };

  private constructor(site: Site) {
    this.#site = site;
    this.url = site.url;
  }

  static async start(): Promise<PageSite> {
    let self: PageSite | null = null;
    const site = await Site.start((request, response) => {
      const html = self?.page.html ?? "";
      const scripts = html.includes("http") ? "'none'" : "'unsafe-inline'";
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.setHeader(
        "Content-Security-Policy",
        `default-src 'none'; style-src 'unsafe-inline'; script-src ${scripts}`,
      );
      response.statusCode = request.url === "/" ? 200 : 404;
      response.end(request.url === "/" ? html : "");
    });
    self = new PageSite(site);
    return self;
  }

  stop(): Promise<void> {
    return this.#site.stop();
  }
}
