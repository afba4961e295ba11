import { z } from "zod";
import { imageCategories } from "../pages/content-protocol.ts";
import { pageCategories } from "../pages/observe/observation.ts";
import { paperSizes } from "../pages/screenshot/pdf.ts";
import { imageFormats } from "../pages/screenshot/screenshot.ts";
import { screenshotTypes } from "../sessions/browser-settings.ts";
import { scrapeFields } from "./action-schemas.ts";

const time = z.iso.datetime({ offset: true }).meta({ examples: ["2026-11-24T12:00:00.000+00:00"] });
const loose = z.looseObject({});

/** How many actions an observation lists, and for what. */
export const observeFields = {
  min_nb_actions: z
    .int()
    .min(0)
    .max(100_000)
    .nullish()
    .describe("At least so many actions, where there are so many, whatever the maximum is."),
  max_nb_actions: z
    .int()
    .min(1)
    .max(100_000)
    .nullish()
    .describe("At most so many actions, those that matter most. Default: all of them."),
};

const pictureFields = {
  format: z.enum(imageFormats).default("jpeg").describe("The kind of picture."),
  quality: z.int().min(1).max(100).default(80).describe("Of no meaning for PNG."),
  scale: z
    .number()
    .min(0.1)
    .max(3)
    .nullish()
    .describe("Pixels for each CSS pixel. Default: as the page itself has."),
  labels: z.boolean().default(false).describe("Draws the ids of elements beside their marks."),
};

/** The body of `POST /sessions/{id}/page/observe`. */
export const observeBody = z.strictObject({
  ...observeFields,
  instructions: z
    .string()
    .max(10_000)
    .nullish()
    .describe("What is looked for: only actions that have to do with it are listed.")
    .meta({ examples: ["search for a flight"] }),
  perception_type: z
    .enum(["fast", "deep"])
    .nullish()
    .describe("`deep` renders the text of the whole page, `fast` (the default) what is in view."),
  url: z.string().max(100_000).nullish().describe("Opened first."),
  token_budget: z
    .int()
    .min(50)
    .max(1_000_000)
    .nullish()
    .describe("Tokens (4 characters) that `text` may have. (An addition of Nightjar.)"),
  screenshot: z
    .boolean()
    .nullish()
    .describe("`false` leaves the picture out. (An addition of Nightjar.)"),
  screenshot_type: z
    .enum(screenshotTypes)
    .nullish()
    .describe("Instead of the session's own. (An addition of Nightjar.)"),
  labels: z
    .boolean()
    .nullish()
    .describe("Draws the ids of elements beside their marks. (An addition of Nightjar.)"),
});

const nodeSelectors = z
  .object({
    css_selector: z.string().describe("Within the innermost iframe and shadow root."),
    xpath_selector: z.string().describe("Within the innermost iframe and shadow root."),
    playwright_selector: z.string().nullable().describe("For Playwright's `locator()`."),
    notte_selector: z.string().nullable().describe("Always null."),
    python_selector: z.string().nullable().describe("Always null."),
    in_iframe: z.boolean().describe("Whether it is in an iframe."),
    in_shadow_root: z.boolean().describe("Whether it is in a shadow root."),
    iframe_parent_css_selectors: z
      .array(z.string())
      .describe("CSS of the iframes around it, outermost first."),
  })
  .meta({ id: "NodeSelectors" });

const box = z.object({
  x: z.number().describe("CSS pixels from the left of the viewport."),
  y: z.number().describe("CSS pixels from the top of the viewport."),
  width: z.number().describe("CSS pixels."),
  height: z.number().describe("CSS pixels."),
});

const observedElement = z
  .object({
    role: z.string().describe("ARIA's role, or the kind of input."),
    tag: z.string().meta({ examples: ["button"] }),
    name: z.string().describe("The accessible name."),
    description: z.string().nullable().describe("What describes it beside its name."),
    input_type: z.string().nullable().describe("The type of an input."),
    value: z.string().nullable().describe("What it holds; masked where it is secret."),
    placeholder: z.string().nullable().describe("What stands in it while it is empty."),
    href: z.string().nullable().describe("Where a link leads."),
    state: loose.describe(
      "checked, expanded, selected, pressed, disabled, required, readonly, invalid, current, focused, popup: those that apply.",
    ),
    limits: loose.describe("min, max, step, maxLength, accept: those that apply."),
    options: z
      .array(
        z.object({
          text: z.string().meta({ examples: ["France"] }),
          value: z.string().meta({ examples: ["fr"] }),
          selected: z.boolean().describe("Whether it is chosen."),
          disabled: z.boolean().describe("Whether it cannot be chosen."),
        }),
      )
      .describe("Of a choice; the first 60."),
    option_count: z.int().describe("How many options there are."),
    secret: z.boolean().describe("Whether its value is masked."),
    editable: z.boolean().describe("Whether text can be typed into it."),
    draggable: z.boolean().describe("Whether it can be dragged."),
    multiple: z.boolean().describe("Whether it takes several values."),
    context: z.string().nullable().describe("What tells it from others with its name."),
    place: z
      .enum(["viewport", "above", "below", "left", "right", "clipped"])
      .describe("Where it is; `clipped`: scrolled out of a box on the page."),
    covered_by: z.string().nullable().describe("What lies over it."),
    layer: z.int().describe("0, or the number of the open layer that it is in."),
    box: box.describe("Where it is drawn."),
  })
  .meta({ id: "ObservedElement" });

const interaction = z
  .looseObject({
    type: z.string().meta({ examples: ["click"] }),
    category: z.string().meta({ examples: ["Interaction Actions"] }),
    description: z.string().describe("What it does, in words."),
    id: z.string().meta({ examples: ["B3"] }),
    selector: nodeSelectors,
    text_label: z.string().nullable().describe("The accessible name."),
    press_enter: z.boolean().nullable().describe("Null: as asked."),
    timeout: z.int().describe("In ms."),
    element: observedElement.describe("All that is known of it. (An addition of Nightjar.)"),
  })
  .meta({ id: "InteractionAction" });

const browserAction = z
  .looseObject({
    type: z.string().meta({ examples: ["goto"] }),
    category: z.string().meta({ examples: ["Special Browser Actions"] }),
    description: z.string().describe("What it does, in words."),
  })
  .meta({ id: "BrowserAction" });

export const pageMetadata = z
  .object({
    title: z.string().meta({ examples: ["Example Domain"] }),
    url: z.string().meta({ examples: ["https://example.com/"] }),
    viewport: z
      .object({
        scroll_x: z.int().describe("CSS pixels."),
        scroll_y: z.int().describe("CSS pixels."),
        viewport_width: z.int().describe("CSS pixels."),
        viewport_height: z.int().describe("CSS pixels."),
        total_width: z.int().describe("CSS pixels."),
        total_height: z.int().describe("CSS pixels."),
      })
      .describe("The window on the page."),
    tabs: z
      .array(
        z.object({
          tab_id: z.int().describe("For `switch_tab`."),
          title: z.string().meta({ examples: ["Example Domain"] }),
          url: z.string().meta({ examples: ["https://example.com/"] }),
        }),
      )
      .describe("In the order they were opened."),
    active_tab: z.int().describe("The one that was observed. (An addition of Nightjar.)"),
    timestamp: time.describe("When it was observed."),
  })
  .meta({ id: "PageMetadata" });

export const observationAnswer = z
  .object({
    started_at: time.describe("When the observation began."),
    ended_at: time.describe("When it was complete."),
    metadata: pageMetadata,
    screenshot: z
      .object({
        raw: z.string().describe("A JPEG as base64; empty where none was asked for."),
        bboxes: z.array(loose).describe("Where the elements are on it, by `notte_id`."),
        last_action_id: z.string().nullable().describe("What the last action was done to."),
      })
      .describe("A picture of the viewport."),
    space: z
      .object({
        description: z.string().describe("The page in the contract's form, an element a line."),
        category: z.enum(pageCategories).nullable().describe("What the page is for."),
        interaction_actions: z.array(interaction).describe("What can be done on the page."),
        browser_actions: z.array(browserAction).describe("What can always be done."),
        actions: z.array(loose).describe("Both, each without `element`."),
        markdown: z.string().describe("As `text`."),
      })
      .describe("What can be done."),
    text: z
      .string()
      .describe("The page for a model, within the token budget. (An addition of Nightjar.)"),
    changes: z
      .object({
        new: z.array(z.string()).describe("Ids that were not there before."),
        changed: z
          .array(
            z.object({
              id: z.string().meta({ examples: ["I2"] }),
              what: z.string().describe("What is different, in words."),
            }),
          )
          .describe("Elements that are different."),
        gone: z
          .array(
            z.object({
              id: z.string().meta({ examples: ["B7"] }),
              role: z.string().meta({ examples: ["button"] }),
              name: z.string().meta({ examples: ["Save"] }),
            }),
          )
          .describe("Elements that are not there any more."),
      })
      .nullable()
      .describe("Since the last observation of this document. (An addition of Nightjar.)"),
    layers: z
      .array(
        z.object({
          role: z.string().meta({ examples: ["dialog"] }),
          name: z.string().meta({ examples: ["Cookies"] }),
          modal: z.boolean().describe("Whether it blocks the page."),
        }),
      )
      .describe("Open dialogs, menus and the like. (An addition of Nightjar.)"),
    silent_frames: z
      .array(z.string())
      .describe("Frames that did not answer in time. (An addition of Nightjar.)"),
    truncated: z
      .boolean()
      .describe("Whether the page has more than is listed. (An addition of Nightjar.)"),
  })
  .meta({ id: "Observation" });

export const dataSpace = z
  .object({
    markdown: z.string().describe("The content."),
    images: z
      .array(
        z.object({
          url: z.string().nullable().describe("Null for a drawing in the page itself."),
          category: z.enum(imageCategories).nullable().describe("What it is for."),
          description: z.string().nullable().describe("Its alternative text or caption."),
        }),
      )
      .nullable()
      .describe("Null unless images were asked for."),
    structured: z
      .object({
        success: z.boolean().describe("Whether the data fits what was asked for."),
        error: z.string().nullable().describe("Why not."),
        data: z.unknown().describe("The data; null where there is none."),
      })
      .nullable()
      .describe("Null unless data was asked for."),
    links: z
      .record(z.string(), z.string())
      .optional()
      .describe("URLs by placeholder. (An addition of Nightjar.)"),
    truncated: z
      .boolean()
      .optional()
      .describe("Whether the page has more than is answered. (An addition of Nightjar.)"),
  })
  .meta({ id: "DataSpace" });

export const executionAnswer = z
  .object({
    started_at: time.describe("When the action began."),
    ended_at: time.describe("When the page had come to rest."),
    action: loose.describe("The action as it was understood."),
    success: z.boolean().describe("Whether it was done."),
    message: z.string().describe("What happened, in words."),
    data: dataSpace.nullable().describe("What `scrape` and `evaluate_js` bring."),
    exception: z.string().nullable().describe("Why it was not done; null where it was."),
    failure_kind: z
      .string()
      .nullable()
      .describe("A stable word for why it was not done. (An addition of Nightjar.)")
      .meta({ examples: ["covered"] }),
    effects: z
      .object({
        navigated_to: z.string().nullable().describe("Where the tab went."),
        opened_tabs: z.array(z.string()).describe("URLs of tabs that opened."),
        closed_tabs: z.int().describe("How many tabs closed."),
        dialogs: z
          .array(
            z.object({
              type: z.string().meta({ examples: ["confirm"] }),
              message: z.string().meta({ examples: ["Delete it?"] }),
              accepted: z.boolean().describe("How it was answered."),
            }),
          )
          .describe("JavaScript dialogs that it raised."),
        downloads: z.array(z.string()).describe("Names of downloads that began."),
        changed: z.boolean().describe("Whether anything on the page changed."),
      })
      .describe("What else it brought about. (An addition of Nightjar.)"),
  })
  .meta({ id: "ExecutionResult" });

/** The body of `POST /sessions/{id}/page/scrape`. Clients leave options of their own in it. */
export const scrapeBody = z.object(scrapeFields);

/** The body of `POST /sessions/{id}/page/screenshot`; clients send none. */
export const screenshotBody = z.strictObject({
  type: z
    .enum(screenshotTypes)
    .nullish()
    .describe(
      "`raw`: no marks. `full`: the whole page, every element marked. `last_action`: what the last action was done to. Default: the session's own, of the viewport.",
    ),
  full_page: z
    .boolean()
    .nullish()
    .describe("The whole page instead of the viewport. Default: only for `full`."),
  ...pictureFields,
});

/** The body of `POST /sessions/{id}/page/pdf`. */
export const pdfBody = z.strictObject({
  paper: z
    .enum(Object.keys(paperSizes) as [keyof typeof paperSizes])
    .default("A4")
    .describe("The size of the sheets."),
  landscape: z.boolean().default(false).describe("Whether they lie on their side."),
  background: z.boolean().default(true).describe("Whether backgrounds are printed."),
  scale: z.number().min(0.1).max(2).default(1).describe("Of what is printed."),
  margin_inches: z.number().min(0).max(3).default(0.4).describe("On each side."),
  page_ranges: z
    .string()
    .max(200)
    .regex(/^[\d\s,-]*$/, "must be page numbers such as 1-3, 5")
    .default("")
    .describe("Default: all pages.")
    .meta({ examples: ["1-3, 5"] }),
});
