import type { IncomingMessage, ServerResponse } from "node:http";

/** What the site was told by whoever used it. */
export const told: { readonly path: string; readonly fields: Readonly<Record<string, string>> }[] =
  [];

const shell = (title: string, body: string): string =>
  `<!doctype html><html lang=en><title>${title}</title><style>body{font:16px sans-serif;margin:2em}.err{color:#b00}</style>${body}`;

const field = (label: string, name: string, error = "", type = "text", value = ""): string =>
  `<div class=field><label>${label} <input name=${name} type=${type} value="${value}" ${error === "" ? "" : `aria-invalid=true aria-describedby=${name}-e`}></label>${error === "" ? "" : `<span class=err id=${name}-e>${error}</span>`}</div>`;

type Fields = Readonly<Record<string, string>>;

const signIn = (fields: Fields): string =>
  fields["user"] === "ada" && fields["password"] === "lovelace"
    ? shell("Home", "<h1>Hello, Ada</h1><a href=/signout>Sign out</a>")
    : shell(
        "Sign in",
        `<h1>Sign in</h1>${fields["user"] === undefined ? "" : "<p role=alert class=err>Wrong name or password.</p>"}<form method=post>${field("User name", "user")}${field("Password", "password", "", "password")}<label><input type=checkbox name=keep> Keep me signed in</label><button>Sign in</button></form>`,
      );

const register = (fields: Fields): string => {
  const asked = Object.keys(fields).length > 0;
  const errors = {
    name: asked && (fields["name"] ?? "") === "" ? "Please give your name" : "",
    email: asked && !/.+@.+\..+/.test(fields["email"] ?? "") ? "This is no e-mail address" : "",
  };
  if (fields["step"] === "2") return shell("Thanks", `<h1>Thanks, ${fields["name"]}</h1>`);
  if (asked && errors.name === "" && errors.email === "") {
    return shell(
      "Step 2",
      `<h1>Step 2 of 2</h1><form method=post><input type=hidden name=name value="${fields["name"]}"><input type=hidden name=email value="${fields["email"]}"><input type=hidden name=step value=2>
      <fieldset><legend>Plan</legend><label><input type=radio name=plan value=free> Free</label><label><input type=radio name=plan value=pro> Pro</label></fieldset>
      <label>Country <select name=country><option value="">Choose<option>Austria<option>France</select></label><label>About you <textarea name=about></textarea></label><button>Finish</button></form>`,
    );
  }
  return shell(
    "Step 1",
    `<h1>Step 1 of 2</h1><form method=post novalidate>${field("Name", "name", errors.name, "text", fields["name"])}${field("E-mail", "email", errors.email, "email", fields["email"])}<button>Next</button></form>`,
  );
};

const pages: Readonly<Record<string, string>> = {
  "/search": shell(
    "Search",
    `<div id=banner role=dialog aria-label="Cookies" aria-modal=true style="position:fixed;inset:0;background:#fffe"><p>We use cookies.</p><button onclick="banner.remove()">Accept all</button></div>
    <h1>Lamps</h1><input type=search aria-label="Search lamps" id=q><label><input type=checkbox id=cheap> Under $20</label><label>Sort by <select id=sort><option value=name>Name<option value=price>Price</select></label><ul id=list></ul>
    <script>const lamps = [["Desk lamp", 30], ["Night lamp", 10], ["Desk light", 15], ["Oil lamp", 50]];
    const draw = () => { const found = lamps.filter(([n, p]) => n.toLowerCase().includes(q.value.toLowerCase()) && (!cheap.checked || p < 20)).sort((a, b) => sort.value === "name" ? a[0].localeCompare(b[0]) : a[1] - b[1]);
      list.innerHTML = found.map(([n, p]) => "<li><h3>" + n + "</h3> $" + p + " <button onclick=\\"fetch('/tell?picked=" + encodeURIComponent(n) + "')\\">Pick</button></li>").join(""); };
    q.oninput = () => setTimeout(draw, 50); cheap.onchange = draw; sort.onchange = draw; draw();</script>`,
  ),
  "/shop": shell(
    "Shop",
    `<h1>Lamp</h1><div role=radiogroup aria-label=Colour>${["Red", "Blue"].map((c) => `<div role=radio aria-checked=false tabindex=0 onclick="for (const r of document.querySelectorAll('[role=radio]')) r.ariaChecked = r === this">${c}</div>`).join("")}</div>
    <button onclick="count.textContent = +count.textContent + 1">+</button><output id=count>1</output><button onclick="cart.showModal()">Add to cart</button>
    <dialog id=cart aria-label=Cart><h2>Your cart</h2><label>Coupon <input id=coupon></label><button onclick="sum.textContent = coupon.value === 'HALF' ? '$5' : '$10'">Apply</button><p>Total <b id=sum>$10</b></p>
    <form action=/tell><input type=hidden name=order value=lamp><input name=address autocomplete=street-address aria-label=Address><input name=city autocomplete=address-level2 aria-label=City><input name=total id=t type=hidden><button onclick="t.value = sum.textContent + ' ' + count.textContent + ' ' + document.querySelector('[aria-checked=true]')?.textContent">Order</button></form></dialog>`,
  ),
  "/dates": shell(
    "Dates",
    `<h1>Book</h1><button id=arrival aria-haspopup=dialog onclick="pick.hidden = false">Arrival date</button><label>Departure <input type=date id=dep></label><button onclick="fetch('/tell?from=' + arrival.dataset.day + '&to=' + dep.value)">Book</button>
    <div id=pick role=dialog aria-label="Choose a date" hidden style="position:absolute;background:#fff;border:1px solid"><button aria-label="Next month" onclick="month++; draw()">›</button><h2 id=title></h2><table role=grid><tbody id=grid></tbody></table></div>
    <script>let month = 11; const draw = () => { const first = new Date(Date.UTC(2026, month, 1)); title.textContent = first.toLocaleString("en", { month: "long", year: "numeric", timeZone: "UTC" });
      const days = new Date(Date.UTC(2026, month + 1, 0)).getUTCDate(); grid.innerHTML = ""; let row; for (let d = 1; d <= days; d++) { if (d % 7 === 1) row = grid.insertRow(); const cell = row.insertCell(); cell.setAttribute("role", "gridcell"); cell.tabIndex = 0; cell.textContent = d; cell.ariaLabel = d + " " + title.textContent;
      cell.onclick = () => { arrival.dataset.day = new Date(Date.UTC(2026, month, d)).toISOString().slice(0, 10); arrival.textContent = "Arrival " + cell.ariaLabel; pick.hidden = true; }; } }; draw();</script>`,
  ),
  "/board": shell(
    "Board",
    `<style>section{display:inline-block;vertical-align:top;width:200px;min-height:200px;border:1px solid}</style>
    ${["Todo", "Done"].map((name) => `<section tabindex=0 aria-label="${name} column"><h2>${name}</h2></section>`).join("")}
    <script>const [todo, done] = document.querySelectorAll("section"); for (const name of ["Write", "Test"]) { const card = document.createElement("div"); card.draggable = true; card.textContent = name; card.id = name; card.ondragstart = (e) => e.dataTransfer.setData("text", name); todo.append(card); }
    for (const column of [todo, done]) { column.ondragover = (e) => e.preventDefault(); column.ondrop = (e) => { const card = document.getElementById(e.dataTransfer.getData("text")); column.append(card); fetch("/tell?card=" + card.id + "&to=" + encodeURIComponent(column.ariaLabel)); }; }</script>`,
  ),
  "/pay-fields": shell(
    "Card",
    `<form action=/tell target=_self>${["Card number", "Expiry", "CVC"].map((label) => `<label>${label} <input name="${label}"></label>`).join("")}<button>Pay</button></form>`,
  ),
  "/feed": shell(
    "Feed",
    `<h1>Feed</h1><ul id=feed></ul><p id=end>…</p><script>let n = 0; const more = () => { for (let i = 0; i < 25; i++) { n++; feed.insertAdjacentHTML("beforeend", "<li style='height:60px'>Item " + n + " <button onclick=\\"fetch('/tell?item=" + n + "')\\">Like</button></li>"); } };
    more(); new IntersectionObserver(([entry]) => { if (entry.isIntersecting && n < 300) setTimeout(more, 30); }).observe(end);</script>`,
  ),
  "/files": shell(
    "Files",
    `<h1>Files</h1><input type=file id=f multiple hidden onchange="send()"><button onclick="f.click()">Choose files</button><p id=state></p><a id=csv download=report.csv href="data:text/csv,a%2Cb">Download report</a>
    <script>const send = async () => { for (const file of f.files) await fetch("/tell?name=" + file.name + "&text=" + encodeURIComponent(await file.text())); state.textContent = "Sent " + f.files.length; }</script>`,
  ),
  "/popup": shell(
    "Popup",
    `<h1>Account</h1><button onclick="window.open('/consent', 'x', 'width=400,height=300')">Connect</button><p id=who>Not connected</p><script>onmessage = (e) => { who.textContent = "Connected as " + e.data; fetch("/tell?connected=" + e.data); }</script>`,
  ),
  "/consent": shell(
    "Consent",
    `<h1>Allow?</h1><button onclick="opener.postMessage('ada', '*'); window.close()">Allow</button>`,
  ),
};

/** A small site for each kind of task that agents are given. */
export async function flowSite(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://site");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const posted = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
  const fields = { ...Object.fromEntries(url.searchParams), ...Object.fromEntries(posted) };
  if (Object.keys(fields).length > 0) told.push({ path: url.pathname, fields });
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  if (url.pathname === "/signin") response.end(signIn(fields));
  else if (url.pathname === "/register") response.end(register(fields));
  else if (url.pathname === "/pay") {
    const other = `http://localhost:${request.socket.localPort}/pay-fields`;
    response.end(
      shell(
        "Pay",
        `<h1>Pay $5</h1><iframe title="Card details" width=600 height=200 src="${other}"></iframe>`,
      ),
    );
  } else response.end(pages[url.pathname] ?? shell("Told", "<h1>Thank you</h1>"));
}
