import type { Session } from "../api/types.ts";

export interface Snippet {
  readonly name: string;
  readonly code: string;
}

/**
 * How to go on with this very session from elsewhere. The API key stays out: it is read from
 * NIGHTJAR_KEY. `cdp_url` holds a token that opens this session and nothing else.
 */
export function snippetsOf(session: Session, origin: string): readonly Snippet[] {
  return session.cdp_url === null ? afterTheEnd(session, origin) : whileItRuns(session, origin);
}

function whileItRuns({ session_id: id, cdp_url: cdpUrl }: Session, origin: string): Snippet[] {
  return [
    {
      name: "curl",
      code: `export NIGHTJAR_KEY=nj_...   # your API key

# What is on the page, as a text with numbered things to do
curl -s -X POST ${origin}/sessions/${id}/page/observe \\
  -H "Authorization: Bearer $NIGHTJAR_KEY"

# Do one of them
curl -s -X POST ${origin}/sessions/${id}/page/execute \\
  -H "Authorization: Bearer $NIGHTJAR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"type": "goto", "url": "https://example.com"}'

# Stop the session
curl -s -X DELETE ${origin}/sessions/${id}/stop \\
  -H "Authorization: Bearer $NIGHTJAR_KEY"`,
    },
    {
      name: "Playwright",
      code: `import { chromium } from "playwright-core";

const browser = await chromium.connectOverCDP(
  "${cdpUrl}",
);
const page = browser.contexts()[0].pages()[0];
console.log(await page.title(), page.url());
await browser.close(); // leaves the session running`,
    },
    {
      name: "Puppeteer",
      code: `import puppeteer from "puppeteer-core";

const browser = await puppeteer.connect({
  browserWSEndpoint:
    "${cdpUrl}",
  defaultViewport: null,
});
const [page] = await browser.pages();
console.log(await page.title(), page.url());
await browser.disconnect(); // leaves the session running`,
    },
    {
      name: "notte-sdk",
      code: `import { NotteClient, pageObserve, sessionStatus } from "notte-sdk";

const notte = new NotteClient({
  apiKey: process.env.NIGHTJAR_KEY,
  baseUrl: "${origin}",
});
const client = notte.getClient();
const path = { session_id: "${id}" };
const status = await sessionStatus({ client, path });
console.log(status.data.status);
const page = await pageObserve({ client, path, body: {} });
console.log(page.data.metadata.url);`,
    },
  ];
}

function afterTheEnd({ session_id: id }: Session, origin: string): Snippet[] {
  return [
    {
      name: "curl",
      code: `export NIGHTJAR_KEY=nj_...   # your API key

# How it ended
curl -s ${origin}/sessions/${id} -H "Authorization: Bearer $NIGHTJAR_KEY"

# The replay's URL
curl -s ${origin}/sessions/${id}/replay -H "Authorization: Bearer $NIGHTJAR_KEY"

# What it asked the network for, as HAR
curl -s ${origin}/sessions/${id}/network/har \\
  -H "Authorization: Bearer $NIGHTJAR_KEY" -o session.har`,
    },
    {
      name: "notte-sdk",
      code: `import { NotteClient, sessionReplay, sessionStatus } from "notte-sdk";

const notte = new NotteClient({
  apiKey: process.env.NIGHTJAR_KEY,
  baseUrl: "${origin}",
});
const client = notte.getClient();
const path = { session_id: "${id}" };
const status = await sessionStatus({ client, path });
console.log(status.data.status, status.data.end_reason);
const replay = await sessionReplay({ client, path });
console.log(replay.data?.mp4_url);`,
    },
  ];
}
