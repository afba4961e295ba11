/** Pages as applications make them, of a chosen size: tables, shops, forms, mail, components. */

import type { BenchPage } from "./saved-pages.ts";

const words =
  "amber basin cedar delta ember fjord grove harbor island juniper kettle lagoon meadow north orchard prairie quarry ridge summit timber".split(
    " ",
  );

function phrase(seed: number, length: number): string {
  const picked: string[] = [];
  for (let index = 0; index < length; index += 1) {
    picked.push(words[(seed * 7 + index * 13 + ((seed * index) % 5)) % words.length] ?? "");
  }
  return picked.join(" ");
}

function times(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join("\n");
}

const style = `<style>
  body { font: 14px sans-serif; margin: 0 }
  header, nav { display: flex; gap: 12px; padding: 8px; background: #eee }
  table { border-collapse: collapse } td, th { border: 1px solid #ccc; padding: 4px 8px }
  .grid { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px }
  .card { border: 1px solid #ccc; padding: 8px; cursor: pointer }
  .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip: rect(0 0 0 0) }
  .list { height: 600px; overflow: auto }
  .menu { position: absolute; display: none }
</style>`;

function frame(title: string, body: string): string {
  return `<!doctype html><html lang=en><head><title>${title}</title>${style}</head><body>
    <header><a class=sr href="#main">Skip to content</a><a href="/">Home</a>
      <form role=search><input type=search name=q placeholder="Search"><button>Search</button></form>
      <nav aria-label=Main>${times(8, (at) => `<a href="/section/${at}">${phrase(at, 1)}</a>`)}</nav>
      <button aria-haspopup=menu aria-expanded=false>Account</button>
      <ul class=menu role=menu>${times(5, (at) => `<li role=none><a role=menuitem href="/account/${at}">${phrase(at + 3, 1)}</a></li>`)}</ul>
    </header><main id=main><h1>${title}</h1>${body}</main>
    <footer>${times(20, (at) => `<a href="/about/${at}">${phrase(at + 5, 2)}</a>`)}</footer></body></html>`;
}

function table(rows: number): string {
  return frame(
    "Customers",
    `<table><thead><tr><th><input type=checkbox aria-label="Select all"></th>${["Name", "Plan", "Seats", "Since"].map((name) => `<th aria-sort=none><button>${name}</button></th>`).join("")}<th></th></tr></thead><tbody>${times(
      rows,
      (at) =>
        `<tr><td><input type=checkbox aria-label="Select row ${at}"></td><td><a href="/customer/${at}">${phrase(at, 2)}</a></td><td>${phrase(at + 1, 1)}</td><td>${at * 3}</td><td>2024-0${(at % 9) + 1}-11</td><td><button><svg width=12 height=12><path d="M0 0h9"/></svg><span>Edit</span></button><button aria-label="Delete ${phrase(at, 2)}"><i></i></button></td></tr>`,
    )}</tbody></table>`,
  );
}

function shop(items: number): string {
  return frame(
    "All products",
    `<aside><h2>Filter</h2>${times(6, (group) => `<fieldset><legend>${phrase(group, 1)}</legend>${times(6, (at) => `<label><input type=checkbox name=f${group}> ${phrase(group + at, 1)} <span>(${at * 7})</span></label><br>`)}</fieldset>`)}</aside>
    <div class=grid>${times(
      items,
      (at) =>
        `<div class=card><div class=image><img alt="${phrase(at, 2)}" width=120 height=90></div><h3><a href="/product/${at}">${phrase(at, 3)}</a></h3><p class=price><span>$</span><span>${at}.99</span></p><div class=rating aria-label="4 of 5 stars"><i></i><i></i><i></i></div><div class=buttons><select aria-label=Size><option>S<option>M<option>L</select><button class=add>Add to cart</button><button aria-label="Save ${phrase(at, 3)}" aria-pressed=false><svg width=10 height=10></svg></button></div></div>`,
    )}</div>
    <script>for (const card of document.querySelectorAll(".card")) card.addEventListener("click", () => {});</script>`,
  );
}

function form(groups: number): string {
  return frame(
    "Settings",
    `<form>${times(
      groups,
      (at) => `<fieldset><legend>${phrase(at, 2)}</legend>
        <div class=field><label for=t${at}>${phrase(at, 2)}</label><input id=t${at} required value="${phrase(at + 2, 1)}"><small>${phrase(at, 8)}</small></div>
        <div class=field><label>Choice <select name=s${at}>${times(12, (option) => `<option>${phrase(option + at, 1)}`)}</select></label></div>
        <div class=field><label><input type=checkbox checked> ${phrase(at + 4, 4)}</label></div>
        <div role=radiogroup aria-label="${phrase(at, 1)}">${times(4, (option) => `<label><input type=radio name=r${at}> ${phrase(option, 1)}</label>`)}</div>
        <div class=field><label for=n${at}>Notes</label><textarea id=n${at}></textarea></div>
        <input type=date aria-label="Starts"><input type=range aria-label="Volume"><input type=color aria-label="Colour"><input type=file aria-label="Logo">
      </fieldset>`,
    )}<button type=submit>Save changes</button></form>`,
  );
}

function mail(messages: number): string {
  return frame(
    "Inbox",
    `<div style="display:flex"><nav style="flex-direction:column">${times(14, (at) => `<div class=folder tabindex=0 role=treeitem>${phrase(at, 1)} <b>${at}</b></div>`)}</nav>
    <div class=list>${times(
      messages,
      (at) =>
        `<div class=message><div><span role=checkbox aria-checked=false tabindex=0 aria-label="Select"></span></div><div><span role=button tabindex=0 aria-label="Star"></span></div><div><span>${phrase(at, 2)}</span></div><div><div><div><span>${phrase(at, 4)}</span><span> - </span><span>${phrase(at + 9, 9)}</span></div></div></div><div><time>12:${at % 60}</time></div></div>`,
    )}</div></div>
    <script>for (const row of document.querySelectorAll(".message")) row.addEventListener("click", () => {});
      document.body.addEventListener("click", () => {});</script>`,
  );
}

function components(count: number): string {
  return frame(
    "Components",
    `${times(count, (at) => `<x-item name="${phrase(at, 2)}"><span>${phrase(at + 1, 3)}</span></x-item>`)}
    <script>customElements.define("x-item", class extends HTMLElement {
      connectedCallback() {
        const root = this.attachShadow({ mode: "open" });
        root.innerHTML = "<style>.row{display:flex;gap:8px}</style><div class=row><label><input type=checkbox> <slot></slot></label><button><slot name=icon>Open " + this.getAttribute("name") + "</slot></button><div role=switch aria-checked=false tabindex=0 aria-label=Active></div></div>";
      }
    });</script>`,
  );
}

/** From 300 to 8,000 elements each. */
export function appPages(): readonly BenchPage[] {
  return [
    ...[20, 100, 400].map((rows) => ({ name: `table of ${rows} rows`, html: table(rows) })),
    ...[20, 100, 300].map((items) => ({ name: `shop of ${items} items`, html: shop(items) })),
    ...[8, 40, 120].map((groups) => ({ name: `form of ${groups} groups`, html: form(groups) })),
    ...[30, 150, 400].map((messages) => ({
      name: `inbox of ${messages} messages`,
      html: mail(messages),
    })),
    ...[50, 300, 800].map((count) => ({ name: `${count} components`, html: components(count) })),
  ];
}
