import { z } from "zod";
import { replayStatuses } from "../recording/recordings.ts";
import { browserTypes, screenshotTypes } from "../sessions/browser-settings.ts";
import { endReasons, sessionStatuses } from "../sessions/session.ts";

/** Boolean of a query string, in any letter case: the Python client sends `True`. */
export const queryBoolean = z
  .stringbool({ truthy: ["true", "1"], falsy: ["false", "0"] })
  .meta({ type: "boolean" });

const minutes = z.int("must be a whole number of minutes");

/** What no session may exceed, and what it has when nothing is asked. Today's API. */
export const timeLimits = {
  maxDurationMinutes: 1440,
  defaultMaxDurationMinutes: 15,
  maxIdleMinutes: 30,
  defaultIdleMinutes: 3,
} as const;

const externalProxy = z.strictObject({
  type: z.literal("external").describe("A proxy of your own."),
  server: z
    .string()
    .min(1)
    .max(2000)
    .describe("`http://`, `https://` or `socks5://` with host and port; `http` without a scheme.")
    .meta({ examples: ["http://proxy.example.com:8080"] }),
  username: z.string().max(1000).nullish().describe("For the proxy."),
  password: z.string().max(1000).nullish().describe("For the proxy. It is never answered."),
  bypass: z
    .string()
    .max(10_000)
    .nullish()
    .describe(
      "Hosts that are reached without it, separated by commas: `example.com` is that host, `*.example.com` those beneath it, `.example.com` both, `<local>` names without a dot, `10.0.0.0/8` addresses; a port may follow.",
    ),
});
const hostedProxy = z.object({
  type: z.enum(["notte", "tailnet"]).describe("A proxy of a hosted service."),
});

/** The body of `POST /sessions/start`. */
export const startBody = z
  .strictObject({
    headless: z
      .boolean()
      .default(true)
      .describe("Without a window. `false` needs a server that has a display."),
    browser_type: z
      .enum(browserTypes)
      .default("chromium")
      .describe(
        "`chromium` is the light headless shell where the server has one; the others are the full browser.",
      )
      .meta({ examples: ["chromium"] }),
    idle_timeout_minutes: minutes
      .min(1)
      .max(timeLimits.maxIdleMinutes)
      .nullish()
      .describe("Ends after so many minutes without any operation. Default 3.")
      .meta({ examples: [5] }),
    timeout_minutes: minutes
      .min(1)
      .max(timeLimits.maxIdleMinutes)
      .nullish()
      .describe("The old name of `idle_timeout_minutes`.")
      .meta({ deprecated: true, examples: [5] }),
    max_duration_minutes: minutes
      .min(1)
      .max(timeLimits.maxDurationMinutes)
      .nullish()
      .describe("Ends after so many minutes in any case. Default 15, or the server's limit.")
      .meta({ examples: [60] }),
    user_agent: z
      .string()
      .min(1)
      .max(1000)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
      .regex(/^[^\x00-\x1f\x7f]*$/, "must not hold control characters")
      .nullish()
      .describe("User agent of every page, worker and request.")
      .meta({ examples: ["Mozilla/5.0 (X11; Linux x86_64) MyAgent/1.0"] }),
    chrome_args: z
      .array(z.string().max(1000))
      .max(50)
      .nullish()
      .describe("Extra command line arguments; those that would weaken isolation are refused.")
      .meta({ examples: [["--lang=de"]] }),
    viewport_width: z
      .int()
      .min(100)
      .max(7680)
      .nullish()
      .describe("In CSS pixels, together with `viewport_height`. Default 1280 x 1080.")
      .meta({ examples: [1280] }),
    viewport_height: z
      .int()
      .min(100)
      .max(4320)
      .nullish()
      .describe("In CSS pixels, together with `viewport_width`.")
      .meta({ examples: [720] }),
    aspect_ratio: z
      .enum(["5:4", "16:9"])
      .nullish()
      .describe("Instead of a viewport: 1280 x 1024 or 1280 x 720."),
    extra_http_headers: z
      .record(
        z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, "is not a header name"),
        z
          .string()
          .max(8192)
          // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
          .regex(/^[^\x00\r\n]*$/, "must be a single line"),
      )
      .nullish()
      .describe("Sent with every request of every page.")
      .meta({ examples: [{ "X-Team": "agents" }] }),
    cdp_url: z
      .string()
      .min(1)
      .max(2000)
      .nullish()
      .describe("Attaches to a browser elsewhere instead of starting one.")
      .meta({ examples: ["wss://browser.example.com/devtools/browser/1"] }),
    screenshot_type: z
      .enum(screenshotTypes)
      .default("last_action")
      .describe("Which elements are marked on screenshots of page operations."),
    solve_captchas: z
      .boolean()
      .nullish()
      .describe("Accepted because clients send it; this server solves none and answers `false`."),
    use_file_storage: z
      .boolean()
      .nullish()
      .describe("Whether what its pages download is kept. Default true."),
    recording: z
      .boolean()
      .nullish()
      .describe(
        "An addition of Nightjar's: whether what its pages show, request and log is kept. Default true, unless the operator chose otherwise.",
      ),
    record_bodies: z
      .boolean()
      .nullish()
      .describe(
        "An addition of Nightjar's: whether the recording keeps the texts that its pages are answered, too (HTML, scripts, JSON and the like, up to 512 kB each and 32 MB together), for the HAR and `/network/requests/{id}/body`. What they say of people stays in them. Default false.",
      ),
    proxies: z
      .union([z.boolean(), z.array(z.union([externalProxy, hostedProxy]))])
      .nullish()
      .describe(
        "At most one proxy that its traffic goes through; it is tried out first (`proxy_failed`). `true` is the operator's, where one is configured. `false` and an empty list are none.",
      ),
    profile: z
      .object({
        id: z.string().describe("The profile's id."),
        persist: z.boolean().default(false).describe("Whether it is saved at the end."),
      })
      .nullish()
      .describe("Profiles are not supported yet and answered 501."),
    web_bot_auth: z.boolean().nullish().describe("`true` is not supported and answered 501."),
    vault_id: z.string().nullish().describe("Vaults are not supported yet and answered 501."),
    auth_ids: z
      .array(z.string())
      .max(10)
      .nullish()
      .describe(
        "Managed authentication is not supported: anything but an empty list is answered 501.",
      ),
    wait_for_authentication: z
      .boolean()
      .nullish()
      .describe("Of no effect without `auth_ids`, which is not supported."),
  })
  .describe("Everything is optional: `{}` starts a session with the defaults.");

export type StartBody = z.output<typeof startBody>;

const time = z.iso.datetime({ offset: true }).meta({ examples: ["2026-11-24T12:00:00.000+00:00"] });

/** A session in an answer, the same for both generations of the API. */
export const sessionAnswer = z
  .object({
    session_id: z.uuid().meta({ examples: ["f47ac10b-58cc-4372-a567-0e02b2c3d479"] }),
    status: z.enum(sessionStatuses).meta({ examples: ["active"] }),
    end_reason: z
      .enum(endReasons)
      .nullable()
      .describe("Why it ended; null while it runs. (An addition of Nightjar.)"),
    error: z.string().nullable().describe("What went wrong, in words; null where nothing did."),
    created_at: time.describe("When it started."),
    last_accessed_at: time.describe("When it was last operated: API, CDP or live view."),
    closed_at: time.nullable().describe("When it ended; null while it runs."),
    duration: z
      .string()
      .describe("How long it has lived, an ISO 8601 duration.")
      .meta({ examples: ["PT12.5S"] }),
    idle_timeout_minutes: z
      .int()
      .min(1)
      .meta({ examples: [3] })
      .describe("Ends after so many minutes without any operation."),
    timeout_minutes: z
      .int()
      .min(1)
      .meta({ examples: [3] })
      .describe("The old name of `idle_timeout_minutes`."),
    max_duration_minutes: z
      .int()
      .min(1)
      .meta({ examples: [15] })
      .describe("Ends so many minutes after its start in any case."),
    keep_alive: z
      .boolean()
      .describe("First API: whether page operations leave it open. (An addition of Nightjar.)"),
    cdp_url: z
      .string()
      .nullable()
      .describe("For Playwright's connectOverCDP and Puppeteer's connect; null once it ended.")
      .meta({ examples: ["ws://127.0.0.1:7777/sessions/f47ac10b/cdp?token=..."] }),
    viewer_url: z
      .string()
      .nullable()
      .describe(
        "Where people watch it and take control, without a key, to be opened within 10 minutes; later answers have another one. Takes `&mode=embed-minimal`, `&interactive=0` and `&theme=light` or `dark`. Null once it ended.",
      )
      .meta({ examples: ["http://127.0.0.1:7777/viewer?session=f47ac10b&access=control&..."] }),
    browser_type: z.enum(browserTypes).describe("As requested."),
    headless: z.boolean().describe("Whether it runs without a window."),
    user_agent: z.string().nullable().describe("As requested; null for the browser's own."),
    viewport_width: z
      .int()
      .min(1)
      .nullable()
      .meta({ examples: [1280] })
      .describe("In CSS pixels; null for a browser elsewhere."),
    viewport_height: z
      .int()
      .min(1)
      .nullable()
      .meta({ examples: [1080] })
      .describe("In CSS pixels; null for a browser elsewhere."),
    proxies: z.boolean().describe("Whether its traffic goes through another proxy."),
    use_file_storage: z.boolean().describe("Whether what its pages download is kept."),
    solve_captchas: z.boolean().describe("Always `false`: not supported."),
    web_bot_auth: z.boolean().describe("Always `false`: not supported."),
    auth_ids: z.array(z.string()).describe("Always empty: not supported."),
    system_hidden: z.boolean().describe("Always `false`."),
    replay_status: z
      .enum(replayStatuses)
      .describe(
        "Where its replay stands: `recording` while it runs, `processing` for some seconds after its end, then `ready` or `failed`; `none` where nothing was recorded or the recording was removed. (An addition of Nightjar.)",
      ),
    record_bodies: z
      .boolean()
      .describe("Whether its recording keeps the bodies of answers. (An addition of Nightjar.)"),
    steps: z
      .array(z.record(z.string(), z.unknown()))
      .describe(
        "The last 500 page operations, as `{type, value}`, long texts shortened; those that failed say `success: false` and why. Cookies and PDFs are told as actions of their own kind (`cookies_read`, `cookies_set`, `pdf`); CDP traffic makes no steps; lists leave them out.",
      ),
    network_request_bytes: z
      .int()
      .min(0)
      .describe("What its browser sent over the network; 0 for a browser elsewhere."),
    network_response_bytes: z
      .int()
      .min(0)
      .describe("What its browser received over the network; 0 for a browser elsewhere."),
  })
  .meta({ id: "Session" });

export type SessionAnswer = z.output<typeof sessionAnswer>;

export const sessionIdParams = z.object({
  session_id: z
    .string()
    .describe("The session's id.")
    .meta({
      examples: ["f47ac10b-58cc-4372-a567-0e02b2c3d479"],
    }),
});

export const listQuery = z.object({
  page: z.coerce.number().int().min(1).default(1).describe("From 1."),
  page_size: z.coerce.number().int().min(1).max(100).default(10).describe("At most 100."),
  only_active: queryBoolean
    .optional()
    .describe("Leave out sessions that ended. Default true, unless `status` is given."),
  status: z
    .enum(sessionStatuses)
    .optional()
    .describe("Only sessions in this state. (An addition of Nightjar.)"),
  search: z
    .string()
    .trim()
    .max(200)
    .optional()
    .describe(
      "Only sessions whose id begins with this, or that ended with it in `end_reason` or `error`. (An addition of Nightjar.)",
    )
    .meta({ examples: ["idle timeout"] }),
  only_current_token: queryBoolean
    .default(false)
    .describe("Only sessions that the API key of this request started."),
});

export const sessionListAnswer = z
  .object({
    items: z.array(sessionAnswer).describe("Newest first."),
    page: z.int().min(1).describe("As asked for."),
    page_size: z
      .int()
      .min(1)
      .meta({ examples: [10] })
      .describe("As asked for."),
    has_next: z.boolean().describe("Whether there is a page after this one."),
    has_previous: z.boolean().describe("Whether there is a page before this one."),
  })
  .meta({ id: "SessionList" });

const debugTab = z.object({
  metadata: z
    .object({
      tab_id: z.int().min(0).describe("Its index among the tabs."),
      title: z.string().meta({ examples: ["Example Domain"] }),
      url: z.string().meta({ examples: ["https://example.com/"] }),
    })
    .describe("What the tab shows."),
  debug_url: z
    .string()
    .describe("DevTools for this tab: paste it into the address bar of a Chromium."),
  ws_url: z.string().describe("CDP of this tab alone."),
});

export const debugAnswer = z
  .object({
    debug_url: z
      .string()
      .describe("DevTools for the tab used last: paste it into the address bar of a Chromium."),
    ws: z
      .object({
        cdp: z.string().describe("The session's `cdp_url`."),
        recording: z.string().describe("Pictures of the active tab: one JPEG a message."),
        logs: z
          .string()
          .describe(
            "The session's steps as `{type, data, timestamp}`: those of the past, then each as it begins (`agent_step_start`: what was asked) and as it is done; at the session's end an `error`.",
          ),
      })
      .describe("WebSocket addresses of the session."),
    tabs: z.array(debugTab).describe("Most recently used first."),
  })
  .meta({ id: "SessionDebug" });

export const debugTabAnswer = debugTab.meta({ id: "SessionDebugTab" });
export const debugTabQuery = z.object({
  tab_idx: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("Index among `tabs` of the debug answer."),
});
