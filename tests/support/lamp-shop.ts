import type { IncomingMessage, ServerResponse } from "node:http";
import { Site } from "./site.ts";

/**
 * A small shop: what an agent does there leaves something of every kind on a time line, requests
 * that fail and errors of its scripts included.
 */
export function startLampShop(): Promise<Site> {
  return Site.start(answer);
}

const lamps = [
  { name: "Dusk", price: 89, colour: "#f2b04e" },
  { name: "Heath", price: 64, colour: "#8fb7a2" },
  { name: "Moth", price: 120, colour: "#9d8fc7" },
  { name: "Ember", price: 75, colour: "#d9765c" },
] as const;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = new URL(request.url ?? "/", "http://shop").pathname;
  if (path === "/") html(response, "Lamps for late hours", shelf());
  else if (path === "/basket") html(response, "Your basket", basket());
  else if (path === "/api/stock") json(response, 200, { dusk: 4, heath: 0, moth: 12, ember: 7 });
  else if (path === "/api/reviews") json(response, 500, { error: "reviews are down" });
  else response.writeHead(404).end("not here");
}

function html(response: ServerResponse, title: string, body: string): void {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="en"><title>${title}</title><style>
    body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #22303a; background: #f7f5f0 }
    header { padding: 28px 48px; background: #1d2b33; color: #f7f5f0 }
    main { padding: 36px 48px }
    ul { display: grid; grid-template-columns: repeat(4, 1fr); gap: 24px; padding: 0; list-style: none }
    li { padding: 20px; background: #fff; border-radius: 12px }
    .lamp { height: 160px; margin-bottom: 14px; border-radius: 8px }
    button, input { font: inherit; padding: 10px 18px; border: 1px solid #1d2b33; border-radius: 8px }
    button { background: #1d2b33; color: #fff }
  </style><header><h1>${title}</h1></header><main>${body}</main></html>`);
}

function shelf(): string {
  const items = lamps.map(
    ({ name, price, colour }) =>
      `<li><div class="lamp" style="background:radial-gradient(circle at 50% 20%, ${colour}, #fff0 75%)"></div><h2>${name}</h2><p>${price} €</p><button aria-label="Add ${name}">Add to basket</button></li>`,
  );
  return `<ul>${items.join("")}</ul><p><a href="/basket">To the basket</a></p><img src="/missing.png" alt="">
    <script>
      console.log("shop ready,", ${lamps.length}, "lamps");
      fetch("/api/stock").then((answer) => answer.json()).then((stock) => console.info("stock", stock));
      fetch("/api/reviews").then((answer) => { if (!answer.ok) console.warn("no reviews: " + answer.status) });
      for (const button of document.querySelectorAll("button")) {
        button.onclick = () => { button.textContent = "In the basket"; console.log(button.ariaLabel) };
      }
    </script>`;
}

function basket(): string {
  return `<form><p><label>Name <input name="name" autocomplete="off"></label></p><p><label>Voucher <input name="voucher"></label></p><button type="button">Order</button><p id="note"></p></form>
    <script>
      document.querySelector("button").onclick = () => {
        document.querySelector("#note").textContent = "This voucher is not valid.";
        throw new Error("voucher rejected: no such code");
      };
    </script>`;
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
