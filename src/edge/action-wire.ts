import type { Action, ActionTarget, FormField, ScrapeRequest } from "../pages/actions/action.ts";
import { invalidField, NightjarError } from "../sessions/errors.ts";
import type { ActionBody } from "./action-schemas.ts";

type BodyOf<T extends ActionBody["type"]> = Extract<ActionBody, { readonly type: T }>;
type ElementBody = BodyOf<"click">;

/** As the contract has it, in ms; 0 stands for it too. */
const defaultTimeoutMs = 15_000;
/** Clients hang up after 45 s. */
const longestTimeoutMs = 40_000;

/**
 * The domain's action for a body. Throws `invalid_request` for fields that do not go together, and
 * `not_supported` for actions that need a third party.
 */
export function toAction(body: ActionBody): Action {
  if (needsThirdParty(body)) {
    throw new NightjarError(
      "not_supported",
      `This server does not support the action ${body.type}: it needs a third party.`,
    );
  }
  const dialog =
    "dialog" in body && body.dialog != null
      ? { accept: body.dialog.accept, text: body.dialog.text ?? null }
      : null;
  switch (body.type) {
    case "goto":
    case "goto_new_tab":
      return { type: body.type, url: body.url, dialog };
    case "close_tab":
    case "go_back":
    case "go_forward":
    case "reload":
      return { type: body.type, dialog };
    case "switch_tab":
      return { type: body.type, tabIndex: body.tab_index, dialog };
    case "wait":
      return { type: body.type, timeMs: body.time_ms, dialog };
    case "press_key":
      return { type: body.type, key: body.key, dialog };
    case "scroll_up":
    case "scroll_down":
      return { type: body.type, amount: body.amount ?? null, dialog };
    case "help":
      return { type: body.type, reason: body.reason, dialog };
    case "completion":
      return { type: body.type, success: body.success, answer: body.answer, dialog };
    case "form_fill":
      return { type: body.type, values: formValuesOf(body), dialog };
    case "scrape":
      return { type: body.type, request: toScrapeRequest(body, true), dialog };
    case "evaluate_js":
      return { type: body.type, code: body.code, dialog };
    case "click":
    case "download_file":
      return { type: body.type, ...onElement(body), dialog };
    case "drag":
      return {
        type: body.type,
        ...onElement(body),
        onto: targetOf(body.target_id, body.target_selector, "target_id"),
        dialog,
      };
    case "fill":
    case "multi_factor_fill":
    case "fallback_fill":
      return {
        type: body.type,
        ...onElement(body),
        value: body.value,
        clearBeforeFill: body.clear_before_fill ?? body.clear ?? true,
        dialog,
      };
    case "check":
      return { type: body.type, ...onElement(body), value: body.value, dialog };
    case "select_dropdown_option":
      return { type: body.type, ...onElement(body), value: body.value, dialog };
    case "upload_file":
      return {
        type: body.type,
        ...onElement(body),
        fileName: fileNameOf(body.file_path),
        dialog,
      };
  }
}

function needsThirdParty(
  body: ActionBody,
): body is BodyOf<"captcha_solve"> | BodyOf<"email_read"> | BodyOf<"sms_read"> {
  return body.type === "captcha_solve" || body.type === "email_read" || body.type === "sms_read";
}

/** An action as it is echoed: what was sent, with the contract's words for what kind it is. */
export function echoOf(body: ActionBody): Record<string, unknown> {
  const { category, description, ...fields } = body;
  // Null says nothing, and some clients check the echo against a model that takes none.
  const given = Object.entries(fields).filter(([, value]) => value != null);
  return {
    ...Object.fromEntries(given),
    category: category ?? categoryOf(body.type),
    description: description ?? "",
  };
}

/** The contract's words for the two kinds of actions. */
export function categoryOf(type: ActionBody["type"]): string {
  return elementTypes.has(type) ? "Interaction Actions" : "Special Browser Actions";
}

const elementTypes: ReadonlySet<string> = new Set([
  "click",
  "download_file",
  "drag",
  "fill",
  "multi_factor_fill",
  "fallback_fill",
  "check",
  "select_dropdown_option",
  "upload_file",
]);

interface ScrapeFields {
  readonly selector?: string | null | undefined;
  readonly scrape_links?: boolean | null | undefined;
  readonly scrape_images?: boolean | null | undefined;
  readonly ignored_tags?: readonly string[] | null | undefined;
  readonly only_main_content?: boolean | null | undefined;
  readonly only_images?: boolean | null | undefined;
  readonly response_format?: Readonly<Record<string, unknown>> | null | undefined;
  readonly instructions?: string | null | undefined;
  readonly use_link_placeholders?: boolean | null | undefined;
}

/** `onlyMainContent`: what the route or action does where the body does not say. */
export function toScrapeRequest(body: ScrapeFields, onlyMainContent: boolean): ScrapeRequest {
  const instructions = body.instructions?.trim() ?? "";
  return {
    selector: body.selector ?? null,
    includeLinks: body.scrape_links ?? true,
    includeImages: body.scrape_images ?? false,
    ignoredTags: body.ignored_tags ?? [],
    onlyMainContent: body.only_main_content ?? onlyMainContent,
    onlyImages: body.only_images ?? false,
    useLinkPlaceholders: body.use_link_placeholders ?? false,
    responseFormat: body.response_format ?? null,
    instructions: instructions === "" ? null : instructions,
  };
}

function onElement(body: Pick<ElementBody, "id" | "selector" | "timeout" | "press_enter">) {
  return {
    target: targetOf(body.id, body.selector, "id"),
    timeoutMs: Math.min(body.timeout || defaultTimeoutMs, longestTimeoutMs),
    pressEnter: body.press_enter ?? false,
  };
}

function targetOf(
  id: string | null | undefined,
  selector: ElementBody["selector"],
  field: "id" | "target_id",
): ActionTarget {
  // As official clients copy it from a description: `B3[:]`, `@B3`.
  const clean = (id ?? "")
    .trim()
    .replace(/^@/, "")
    .replace(/\[:\]$/, "");
  const selectors =
    typeof selector === "string"
      ? [selector]
      : [
          selector?.playwright_selector,
          selector?.css_selector,
          prefixed("xpath=", selector?.xpath_selector),
        ];
  const given = selectors.filter((one) => typeof one === "string" && one.trim() !== "") as string[];
  if (clean === "" && given.length === 0) {
    const other = field === "id" ? "selector" : "target_selector";
    throw invalidField(field, `${field} or ${other} is required: name the element.`, "missing");
  }
  return {
    id: clean === "" ? null : clean,
    selectors: given,
    frames: typeof selector === "object" ? (selector?.iframe_parent_css_selectors ?? []) : [],
  };
}

/** Some clients send the path that the file has on their own machine. */
function fileNameOf(filePath: string): string {
  const name = filePath.split(/[\\/]/).at(-1) ?? "";
  if (name.trim() !== "") return name;
  throw invalidField("file_path", `file_path must end in the name of a file; got "${filePath}".`);
}

function prefixed(prefix: string, text: string | null | undefined): string | null {
  if (text == null || text.trim() === "") return null;
  return text.startsWith(prefix) ? text : `${prefix}${text}`;
}

function formValuesOf({ value }: BodyOf<"form_fill">): Partial<Record<FormField, string>> {
  const { password, ...fields } = value;
  if (password != null && fields.current_password != null) {
    throw invalidField(
      "value",
      "value: password and current_password are the same field; give one of them.",
      "contradiction",
    );
  }
  const all = { ...fields, ...(password != null && { current_password: password }) };
  const given = Object.entries(all).filter(([, text]) => text != null);
  if (given.length === 0) {
    throw invalidField("value", "value: give at least one field to fill.", "missing");
  }
  return Object.fromEntries(given) as Partial<Record<FormField, string>>;
}
