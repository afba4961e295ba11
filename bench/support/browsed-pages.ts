import { appPages } from "./app-pages.ts";

/** How many pages there are to browse. */
export const browsedPages = 15;

const style = `<style>
  body { background: #fafafa } .card { background: white; border-radius: 8px }
  .image img, .picture { width: 240px; height: 160px; object-fit: cover }
  .picture { margin: 8px } .picture:hover, .card:hover { box-shadow: 0 2px 12px #0003 }
</style>`;

const pages = appPages().map(({ html }, number) => {
  let picture = 0;
  const src = () => `src="/picture/${number}-${picture++ % 24}.svg"`;
  const illustrated = html.replaceAll("<img ", () => `<img ${src()} `);
  const strip = Array.from({ length: 8 }, () => `<img class=picture ${src()} alt="">`).join("");
  return illustrated.replace("<main id=main>", `${style}<main id=main><div>${strip}</div>`);
});

/** What `/page/3` and the pictures on it answer. */
export function browsedPage(pathname: string): { readonly type: string; readonly body: string } {
  const picture = /^\/picture\/(\d+)-(\d+)\.svg$/.exec(pathname);
  if (picture !== null) {
    return { type: "image/svg+xml", body: clouds(Number(picture[1]) * 31 + Number(picture[2])) };
  }
  const number = Number(/^\/page\/(\d+)$/.exec(pathname)?.[1] ?? 0) % browsedPages;
  return { type: "text/html", body: pages[number] ?? "" };
}

/** As hard to compress as a photograph: soft shapes of many colours, and some grain. */
function clouds(seed: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="160">
    <filter id="f"><feTurbulence type="fractalNoise" baseFrequency="0.02" numOctaves="4" seed="${seed}"/></filter>
    <rect width="100%" height="100%" fill="hsl(${(seed * 47) % 360} 60% 60%)"/>
    <rect width="100%" height="100%" filter="url(#f)" opacity="0.7"/></svg>`;
}
