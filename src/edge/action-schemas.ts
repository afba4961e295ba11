import { z } from "zod";
import { formFields } from "../pages/actions/action.ts";

/** What official clients send beside an action's own fields. */
const common = {
  category: z.string().nullish().describe("Of the client; not read."),
  description: z.string().nullish().describe("Of the client; not read."),
};

/** What tells one action from another. */
const kind = <T extends string>(type: T) => z.literal(type).describe("What is done.");

const dialog = z
  .strictObject({
    accept: z.boolean().describe("Whether the dialog is confirmed."),
    text: z.string().max(10_000).nullish().describe("What is typed into a prompt."),
  })
  .nullish()
  .describe(
    "How JavaScript dialogs that the action raises are answered. Default: confirmed, prompts with their default. (An addition of Nightjar.)",
  );

const nodeSelectors = z.object({
  css_selector: z.string().nullish().describe("CSS, within the innermost iframe."),
  xpath_selector: z.string().nullish().describe("XPath, within the innermost iframe."),
  playwright_selector: z.string().nullish().describe("For Playwright; tried first."),
  notte_selector: z.string().nullish().describe("Not read."),
  python_selector: z.string().nullish().describe("Not read."),
  in_iframe: z.boolean().nullish().describe("Not read: the list of iframes says it."),
  in_shadow_root: z.boolean().nullish().describe("Not read: CSS finds what is in shadow roots."),
  iframe_parent_css_selectors: z
    .array(z.string())
    .nullish()
    .describe("CSS of the iframes around the element, outermost first."),
});

const selector = z
  .union([z.string().max(10_000), nodeSelectors])
  .nullish()
  .describe(
    "Instead of an id, or for when the id is not known: a Playwright selector (CSS, `xpath=`, `internal:`, `~text`), or the selectors of an observation.",
  )
  .meta({ examples: ["button.save"] });

const onElement = {
  ...common,
  id: z
    .string()
    .max(100)
    .nullish()
    .describe("The element's id in an observation.")
    .meta({ examples: ["B3"] }),
  selector,
  press_enter: z.boolean().nullish().describe("Presses Enter afterwards."),
  text_label: z.string().nullish().describe("Of the client; not read."),
  param: z.unknown().optional().describe("Of the client; not read."),
  timeout: z
    .int()
    .min(0)
    .nullish()
    .describe(
      "How long the element may take to be ready, in ms. Default (and for 0) 15,000; more than 40,000 counts as that.",
    ),
  dialog,
};

const withText = {
  ...onElement,
  value: z
    .string()
    .max(1_000_000)
    .describe("The text.")
    .meta({ examples: ["Ada Lovelace"] }),
  clear_before_fill: z
    .boolean()
    .nullish()
    .describe("Whether what is there is replaced. Default true."),
  clear: z.boolean().nullish().describe("The same, as one client calls it."),
};

const url = z
  .string()
  .min(1)
  .max(100_000)
  .describe("http(s), about:blank or data:; https:// is added where there is no scheme.")
  .meta({ examples: ["https://example.com"] });

const amount = z
  .int()
  .min(1)
  .max(1_000_000)
  .nullish()
  .describe("In CSS pixels. Default 70 % of the viewport.");

const plain = <T extends string>(type: T) =>
  z.strictObject({ type: kind(type), ...common, dialog });
const element = <T extends string>(type: T) => z.strictObject({ type: kind(type), ...onElement });
const text = <T extends string>(type: T) => z.strictObject({ type: kind(type), ...withText });
const scroll = <T extends string>(type: T) =>
  z.strictObject({ type: kind(type), ...common, amount });
const reading = <T extends string>(type: T) =>
  z.looseObject({ type: kind(type), ...common }).describe("Not supported: answered 501.");

/** The scrape options of an action and of the scrape routes; defaults differ. */
export const scrapeFields = {
  selector: z
    .string()
    .max(10_000)
    .nullish()
    .describe("A Playwright selector of the part to scrape. Default: the whole page."),
  scrape_links: z.boolean().nullish().describe("Whether links are kept. Default true."),
  scrape_images: z.boolean().nullish().describe("Whether images are kept. Default false."),
  ignored_tags: z
    .array(z.string().max(100))
    .max(100)
    .nullish()
    .describe("HTML tags that are left out.")
    .meta({ examples: [["nav", "footer"]] }),
  only_main_content: z.boolean().nullish().describe("Without navigation, footers and the like."),
  only_images: z.boolean().nullish().describe("Only the list of images."),
  response_format: z
    .record(z.string(), z.unknown())
    .nullish()
    .describe("A JSON Schema of the data to extract; needs a configured model."),
  instructions: z
    .string()
    .max(20_000)
    .nullish()
    .describe("What to extract, in words; needs a configured model."),
  use_link_placeholders: z
    .boolean()
    .nullish()
    .describe("Writes links as `link1`, `link2`; the answer's `links` resolves them."),
};

const formValues = z
  .partialRecord(z.enum([...formFields, "password"]), z.string().max(10_000).nullable())
  .describe("Values by what the field is for; nulls are left out.")
  .meta({ examples: [{ first_name: "Ada", email: "ada@example.org" }] });

/** The body of `POST /sessions/{id}/page/execute`: one action, told by its `type`. */
export const actionBody = z
  .discriminatedUnion("type", [
    z.strictObject({ type: kind("goto"), ...common, url, dialog }),
    z.strictObject({ type: kind("goto_new_tab"), ...common, url, dialog }),
    plain("close_tab"),
    plain("go_back"),
    plain("go_forward"),
    plain("reload"),
    z.strictObject({
      type: kind("switch_tab"),
      ...common,
      tab_index: z.int().min(-1000).max(1000).describe("From 0; -1 is the last tab."),
    }),
    z.strictObject({
      type: kind("wait"),
      ...common,
      time_ms: z.int().min(0).max(30_000).describe("In ms."),
    }),
    z.strictObject({
      type: kind("press_key"),
      ...common,
      key: z
        .string()
        .min(1)
        .max(100)
        .describe("A key or chord by Playwright's names.")
        .meta({ examples: ["Control+A"] }),
      dialog,
    }),
    scroll("scroll_up"),
    scroll("scroll_down"),
    z.strictObject({
      type: kind("help"),
      ...common,
      reason: z.string().max(100_000).describe("Why help is needed."),
    }),
    z.strictObject({
      type: kind("completion"),
      ...common,
      success: z.boolean().describe("Whether the task was done."),
      answer: z.string().max(1_000_000).describe("What came of it."),
    }),
    z.strictObject({ type: kind("form_fill"), ...common, value: formValues, dialog }),
    z.strictObject({ type: kind("scrape"), ...common, ...scrapeFields }),
    z.strictObject({
      type: kind("evaluate_js"),
      ...common,
      code: z
        .string()
        .min(1)
        .max(1_000_000)
        .describe("One expression, or statements with a `return`.")
        .meta({ examples: ["document.title"] }),
      dialog,
    }),
    element("click"),
    element("download_file"),
    z.strictObject({
      type: kind("drag"),
      ...onElement,
      target_id: z.string().max(100).nullish().describe("The id of what it is dragged onto."),
      target_selector: selector.describe(
        "Instead of `target_id`: selectors of what it is dragged onto.",
      ),
    }),
    text("fill"),
    text("multi_factor_fill"),
    text("fallback_fill"),
    z.strictObject({
      type: kind("check"),
      ...onElement,
      value: z.boolean().describe("Whether it is to be checked."),
    }),
    z.strictObject({
      type: kind("select_dropdown_option"),
      ...onElement,
      value: z.string().max(10_000).describe("The option's visible text or value."),
    }),
    z.strictObject({
      type: kind("upload_file"),
      ...onElement,
      file_path: z
        .string()
        .min(1)
        .max(1000)
        .describe("The name of a file in `/storage/uploads`; of a path its last part."),
    }),
    reading("captcha_solve"),
    reading("email_read"),
    reading("sms_read"),
  ])
  .meta({ id: "Action" });

export type ActionBody = z.output<typeof actionBody>;
