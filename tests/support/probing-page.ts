import type { IncomingMessage, ServerResponse } from "node:http";

/** The ways in which a page can make its browser connect to a server; preconnects are tried, too, but not every build makes them. */
export const wayNames = [
  "fetch",
  "xhr",
  "websocket",
  "events",
  "image",
  "iframe",
  "script",
  "style",
  "video",
  "beacon",
  "prefetch",
  "form",
  "popup",
  "download",
  "worker",
  "service-worker",
  "redirect",
  "redirected-fetch",
  "secure",
  "secure-websocket",
] as const;

/**
 * A site whose page `/probe?port=N` tries each way to `<way>.inside.test:N`, and answers redirects to
 * whatever `/to?url=` names. True where it answered a request.
 */
export function serveProbingSite(request: IncomingMessage, response: ServerResponse): boolean {
  const url = new URL(request.url ?? "/", "http://site");
  switch (url.pathname) {
    case "/to":
      response.writeHead(302, {
        Location: url.searchParams.get("url") ?? "/",
        "Access-Control-Allow-Origin": "*",
      });
      response.end();
      return true;
    case "/probe":
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><title>probe</title><script type="module">${probe}</script>`);
      return true;
    case "/probe-worker.js":
      response.setHeader("Content-Type", "text/javascript");
      response.end(
        "onmessage = ({ data }) => fetch(data, { mode: 'no-cors' }).catch(() => {});" +
          "self.addEventListener('install', (event) => event.waitUntil(fetch(new URL(location).searchParams.get('url'), { mode: 'no-cors' }).catch(() => {})));",
      );
      return true;
    default:
      return false;
  }
}

/** Runs in the page. */
const probe = `
const port = new URLSearchParams(location.search).get("port");
const to = (way, scheme = "http") => scheme + "://" + way + ".inside.test:" + port + "/";
const by = (url) => "/to?url=" + encodeURIComponent(url);
const element = (name, attributes) => {
  const made = Object.assign(document.createElement(name), attributes);
  document.head.append(made);
  return made;
};
const quietly = (url) => fetch(url, { mode: "no-cors" }).catch(() => {});
quietly(to("fetch"));
quietly(to("secure", "https"));
quietly(by(to("redirected-fetch")));
const request = new XMLHttpRequest();
request.open("GET", to("xhr"));
request.send();
new WebSocket(to("websocket", "ws"));
new WebSocket(to("secure-websocket", "wss"));
new EventSource(to("events"));
new Image().src = to("image");
element("iframe", { src: to("iframe") });
element("iframe", { src: by(to("redirect")) });
element("script", { src: to("script") });
element("link", { rel: "stylesheet", href: to("style") });
element("link", { rel: "preconnect", href: to("preconnect") });
element("link", { rel: "prefetch", href: to("prefetch") });
element("link", { rel: "dns-prefetch", href: to("dns-prefetch") });
element("video", { src: to("video"), preload: "auto" });
navigator.sendBeacon(to("beacon"), "x");
element("iframe", { name: "target" });
element("form", { action: to("form"), target: "target" }).submit();
element("a", { href: to("download"), download: "file", target: "_blank" }).click();
window.open(to("popup"));
window.worker = new Worker("/probe-worker.js");
window.worker.postMessage(to("worker"));
navigator.serviceWorker.register("/probe-worker.js?url=" + encodeURIComponent(to("service-worker")));
`;
