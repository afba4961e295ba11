import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Agent } from "./support/agent.ts";
import { flowSite, told } from "./support/flow-site.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { Site } from "./support/site.ts";

let nightjar: Nightjar;
let site: Site;
let agent: Agent;

beforeAll(async () => {
  site = await Site.start((request, response) => void flowSite(request, response));
  nightjar = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2", NIGHTJAR_RECORDING: "0" });
}, 60_000);

afterAll(async () => {
  await nightjar.dispose();
  await site.stop();
});

beforeEach(async () => {
  told.length = 0;
  agent = await Agent.start(nightjar);
});

afterEach(() => agent.stop());

test("signs in, after a wrong password that the page complains about", async () => {
  await agent.goto(`${site.url}/signin`);
  await agent.fill("User name", "ada");
  await agent.fill("Password", "wrong");
  await agent.click("Sign in", { role: "button" });
  await agent.observe();
  expect(agent.text).toContain("Wrong name or password.");
  await agent.fill("User name", "ada");
  await agent.check("Keep me signed in");
  await agent.fill("Password", "lovelace", true);
  expect((await agent.observe()).metadata.title).toBe("Home");
  expect(agent.text).toContain("Hello, Ada");
});

test("gets past the cookie banner, searches, filters and sorts", async () => {
  await agent.goto(`${site.url}/search`);
  const first = await agent.observe();
  expect(agent.text.indexOf("Accept all")).toBeLessThan(agent.text.indexOf("Search lamps"));
  const search = first.space.interaction_actions.find(
    ({ element }) => element.name === "Search lamps",
  );
  expect(search?.element.covered_by).toContain("Cookies");
  await agent.click("Accept all");
  await agent.fill("Search lamps", "desk");
  await expect.poll(() => agent.observe().then(() => agent.text)).not.toContain("Oil lamp");
  await agent.check("Under $20");
  await agent.choose("Sort by", "Price");
  await agent.click("Pick");
  expect(told).toEqual([{ path: "/tell", fields: { picked: "Desk light" } }]);
});

test("fills a form of several pages, mending what is not accepted", async () => {
  await agent.goto(`${site.url}/register`);
  await agent.fill("E-mail", "ada");
  await agent.click("Next");
  await agent.observe();
  expect(agent.text).toContain("invalid: Please give your name");
  expect(agent.text).toContain("invalid: This is no e-mail address");
  await agent.fill("Name", "Ada");
  await agent.fill("E-mail", "ada@example.org");
  await agent.click("Next");
  await agent.check("Pro");
  await agent.choose("Country", "Austria");
  await agent.fill("About you", "Counts.");
  await agent.click("Finish");
  expect((await agent.observe()).metadata.title).toBe("Thanks");
  expect(told.at(-1)?.fields).toMatchObject({
    name: "Ada",
    plan: "pro",
    country: "Austria",
    about: "Counts.",
  });
});

test("buys something: variant, quantity, coupon in a dialog, address, order", async () => {
  await agent.goto(`${site.url}/shop`);
  await agent.click("Blue");
  await agent.click("+");
  await agent.click("Add to cart");
  await agent.fill("Coupon", "HALF");
  await agent.click("Apply");
  await agent.act({ type: "form_fill", value: { address1: "1 Road", city: "Vienna" } });
  await agent.click("Order");
  expect(told.at(-1)?.fields).toEqual({
    order: "lamp",
    address: "1 Road",
    city: "Vienna",
    total: "$5 2 Blue",
  });
});

test("picks dates in a widget of the page's own and in the browser's", async () => {
  await agent.goto(`${site.url}/dates`);
  await agent.click("Arrival date");
  await agent.click("Next month");
  await agent.click("24 January 2027");
  expect(await agent.has({ name: "Arrival 24 January 2027" })).toBe(true);
  await agent.fill("Departure", "2027-01-31");
  await agent.click("Book");
  expect(told.at(-1)?.fields).toEqual({ from: "2027-01-24", to: "2027-01-31" });
});

test("drags a card on a board", async () => {
  await agent.goto(`${site.url}/board`);
  const id = await agent.find({ name: "Test" });
  await agent.act({ type: "drag", id, target_id: await agent.find({ name: "Done column" }) });
  expect(told).toEqual([{ path: "/tell", fields: { card: "Test", to: "Done column" } }]);
});

test("pays in an iframe of another site", async () => {
  await agent.goto(`${site.url}/pay`);
  await agent.fill("Card number", "4242 4242 4242 4242");
  await agent.fill("Expiry", "12/30");
  await agent.fill("CVC", "123");
  await agent.click("Pay");
  await agent.observe();
  expect(agent.text).toContain("Thank you");
  expect(told.at(-1)?.fields).toMatchObject({ "Card number": "4242 4242 4242 4242", CVC: "123" });
});

test("finds the 137th item of a page that goes on without end", async () => {
  await agent.goto(`${site.url}/feed`);
  const wanted = { name: "Like", context: /^Item 137$/ };
  await expect
    .poll(
      async () => {
        await agent.act({ type: "press_key", key: "End" });
        return agent.has(wanted);
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  await agent.act({ type: "click", id: await agent.find(wanted) });
  expect(told).toEqual([{ path: "/tell", fields: { item: "137" } }]);
});

test("uploads a file by a button, and downloads one", async () => {
  const form = new FormData();
  form.append("file", new Blob(["hello"]), "notes.txt");
  const uploaded = await fetch(`${nightjar.url}/storage/uploads/notes.txt`, {
    method: "POST",
    headers: { Authorization: `Bearer ${testKey}` },
    body: form,
  });
  expect(uploaded.status).toBe(200);
  await agent.goto(`${site.url}/files`);
  const button = await agent.find({ name: "Choose files" });
  await agent.act({ type: "upload_file", id: button, file_path: "notes.txt" });
  await expect.poll(() => agent.observe().then(() => agent.text)).toContain("Sent 1");
  expect(told).toEqual([{ path: "/tell", fields: { name: "notes.txt", text: "hello" } }]);
  const link = await agent.find({ name: "Download report" });
  expect(await agent.act({ type: "download_file", id: link })).toContain("report.csv");
  const { body } = await nightjar.call("GET", `/storage/${agent.sessionId}/downloads`);
  expect(JSON.stringify(body)).toContain("report.csv");
});

test("goes through a pop-up window and comes back", async () => {
  await agent.goto(`${site.url}/popup`);
  expect(await agent.click("Connect")).toContain("new tab opened");
  expect((await agent.observe()).metadata.title).toBe("Consent");
  await agent.click("Allow");
  await expect.poll(() => agent.observe().then(() => agent.text)).toContain("Connected as ada");
  expect(told).toEqual([{ path: "/tell", fields: { connected: "ada" } }]);
});
