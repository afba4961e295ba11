import type { ElementSelectors } from "../pages/elements.ts";
import { type DefaultAction, defaultActionOf } from "../pages/observe/default-action.ts";
import type { Observation, PageElement } from "../pages/observe/observation.ts";
import type { ObservationAnswer } from "../pages/page-service.ts";
import { wireTime } from "./wire-time.ts";

/** What stands in place of a value that the agent has to choose, as the contract has it. */
const sampleValue = "<sample_value>";

/**
 * An observation as it goes over the wire, today's API, as JSON. It holds most things twice, and of a
 * large page is a megabyte: written like this it takes a tenth of the time that a schema would take.
 */
export function writeObservationAnswer(answer: ObservationAnswer): string {
  const { observation, screenshot, lastElementId } = answer;
  const { elements, changes } = observation;
  const actions = elements.map((element) => JSON.stringify(toInteraction(element)));
  const interactions = elements.map(
    (element, index) =>
      `${actions[index]?.slice(0, -1)},"element":${JSON.stringify(toWireElement(element))}}`,
  );
  const text = JSON.stringify(observation.text);
  const space = objectOf({
    description: JSON.stringify(observation.description),
    category: JSON.stringify(observation.category),
    interaction_actions: `[${interactions.join(",")}]`,
    browser_actions: `[${browserActionsWritten}]`,
    actions: `[${[...actions, browserActionsWritten].join(",")}]`,
    markdown: text,
  });
  const picture = objectOf({
    // Base64 has nothing to escape.
    raw: `"${screenshot?.bytes.toString("base64") ?? ""}"`,
    bboxes: JSON.stringify(
      screenshot === null ? [] : elements.map((element) => toBoundingBox(element, observation)),
    ),
    last_action_id: JSON.stringify(lastElementId),
  });
  return objectOf({
    started_at: JSON.stringify(wireTime(observation.startedAt)),
    ended_at: JSON.stringify(wireTime(observation.endedAt)),
    metadata: JSON.stringify(toMetadata(observation)),
    screenshot: picture,
    space,
    text,
    changes: JSON.stringify(
      changes === null
        ? null
        : { new: changes.added, changed: changes.changed, gone: changes.gone },
    ),
    layers: JSON.stringify(
      observation.layers.map(({ role, name, isModal }) => ({ role, name, modal: isModal })),
    ),
    silent_frames: JSON.stringify(observation.silentFrames),
    truncated: JSON.stringify(observation.isTruncated),
  });
}

/** An object of fields that are written already. */
function objectOf(fields: Readonly<Record<string, string>>): string {
  const written = Object.entries(fields).map(([name, value]) => `"${name}":${value}`);
  return `{${written.join(",")}}`;
}

/** The contract's metadata of a page; every number is whole. */
export function toMetadata({ title, url, viewport, tabs, endedAt }: Observation) {
  return {
    title,
    url,
    viewport: {
      scroll_x: viewport.scrollX,
      scroll_y: viewport.scrollY,
      viewport_width: viewport.width,
      viewport_height: viewport.height,
      total_width: viewport.totalWidth,
      total_height: viewport.totalHeight,
    },
    tabs: tabs.map((tab) => ({ tab_id: tab.index, title: tab.title, url: tab.url })),
    active_tab: tabs.find(({ isActive }) => isActive)?.index ?? 0,
    timestamp: wireTime(endedAt),
  };
}

/** What can be done with an element, as the contract has it. */
function toInteraction(element: PageElement) {
  const type = defaultActionOf(element);
  return {
    type,
    category: "Interaction Actions",
    description: describe(element, type),
    id: element.id,
    selector: toNodeSelectors(element.selectors),
    text_label: element.name,
    press_enter: null,
    timeout: 15_000,
    ...(type === "fill" && { value: sampleValue, clear_before_fill: true }),
    ...(type === "select_dropdown_option" && {
      value: element.role === "option" ? element.id : sampleValue,
    }),
    ...(type === "upload_file" && { file_path: sampleValue }),
  };
}

/** Ours: all that is known of an element. */
function toWireElement(element: PageElement) {
  const { box, state } = element;
  return {
    role: element.role,
    tag: element.tag,
    name: element.name,
    description: element.description,
    input_type: element.inputType,
    value: element.value,
    placeholder: element.placeholder,
    href: element.href,
    state,
    limits: element.limits,
    options: element.options,
    option_count: element.optionCount,
    secret: element.isSecret,
    editable: element.isEditable,
    draggable: element.isDraggable,
    multiple: element.takesSeveral,
    context: element.context,
    place: element.place,
    covered_by: element.coveredBy,
    layer: element.layer,
    box,
  };
}

export function toNodeSelectors(selectors: ElementSelectors) {
  return {
    css_selector: selectors.css ?? "",
    xpath_selector: selectors.xpath ?? "",
    playwright_selector: selectors.playwright,
    notte_selector: null,
    python_selector: null,
    in_iframe: selectors.frames.length > 0,
    in_shadow_root: selectors.inShadowRoot,
    iframe_parent_css_selectors: selectors.frames,
  };
}

function toBoundingBox(element: PageElement, { viewport }: Observation) {
  return {
    ...element.box,
    scroll_x: viewport.scrollX,
    scroll_y: viewport.scrollY,
    iframe_offset_x: element.frameOffset.x,
    iframe_offset_y: element.frameOffset.y,
    viewport_width: viewport.width,
    viewport_height: viewport.height,
    notte_id: element.id,
  };
}

function describe(element: PageElement, type: DefaultAction): string {
  const name = element.name === "" ? element.role : `${element.role} "${element.name}"`;
  const where = element.context === null ? "" : ` in "${element.context}"`;
  const verbs: Readonly<Record<DefaultAction, string>> = {
    click: "Clicks the",
    fill: "Fills the",
    check: "Checks the",
    select_dropdown_option: element.role === "option" ? "Chooses the" : "Chooses an option of the",
    upload_file: "Gives a file to the",
  };
  return `${verbs[type]} ${name}${where}`;
}

/** One example of each action that is always there. */
const browserActions = [
  { type: "goto", url: sampleValue, description: "Opens a URL in this tab" },
  { type: "goto_new_tab", url: sampleValue, description: "Opens a URL in a new tab" },
  { type: "close_tab", description: "Closes this tab" },
  { type: "switch_tab", tab_index: 0, description: "Makes another tab the active one" },
  { type: "go_back", description: "Goes back in this tab's history" },
  { type: "go_forward", description: "Goes forward in this tab's history" },
  { type: "reload", description: "Loads the page again" },
  { type: "wait", time_ms: 1000, description: "Waits for so many milliseconds" },
  { type: "press_key", key: "Enter", description: "Presses a key or chord" },
  { type: "scroll_up", amount: null, description: "Scrolls up by CSS pixels, or most of a screen" },
  {
    type: "scroll_down",
    amount: null,
    description: "Scrolls down by CSS pixels, or most of a screen",
  },
  { type: "scrape", only_main_content: true, description: "Turns the page into markdown" },
  { type: "evaluate_js", code: sampleValue, description: "Runs a script on the page" },
  {
    type: "form_fill",
    value: { email: sampleValue },
    description: "Fills fields by what they are for",
  },
  { type: "help", reason: sampleValue, description: "Asks for help" },
  {
    type: "completion",
    success: true,
    answer: sampleValue,
    description: "Says that the task is over",
  },
].map((action) => ({ ...action, category: "Special Browser Actions" }));

const browserActionsWritten = browserActions.map((action) => JSON.stringify(action)).join(",");
