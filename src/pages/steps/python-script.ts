import {
  oneLine,
  type Script,
  type ScriptTarget,
  type ScriptValue,
  type Statement,
  scrollFunction,
} from "./script.ts";

/** Renders a script as Python for Playwright's synchronous API: a program, or its statements alone. */
export function toPython(script: Script, isWhole: boolean): string {
  const lines = [
    ...script.notes.map(commentLine),
    ...preludeOf(script),
    ...linesOf(script.statements),
  ];
  return `${(isWhole ? wholeOf(script, lines) : lines).join("\n")}\n`;
}

function wholeOf(script: Script, lines: readonly string[]): readonly string[] {
  return [
    "import os",
    "",
    "from playwright.sync_api import sync_playwright",
    "",
    ...(script.uploads ? ["# Files to upload are read from the working directory."] : []),
    ...(script.secrets.length === 0
      ? []
      : [
          "# Secrets are not in this script: the environment has to hold them.",
          `for name in [${script.secrets.map(text).join(", ")}]:`,
          "    if name not in os.environ:",
          '        raise SystemExit(f"Set the environment variable {name}.")',
          "",
        ]),
    "# With CDP_URL the script runs in a session that is there, otherwise in a browser of its own.",
    'cdp_url = os.environ.get("CDP_URL")',
    "with sync_playwright() as playwright:",
    "    chromium = playwright.chromium",
    "    browser = chromium.connect_over_cdp(cdp_url) if cdp_url else chromium.launch()",
    "    try:",
    "        context = browser.contexts[0] if browser.contexts else browser.new_context()",
    "        page = context.pages[0] if context.pages else context.new_page()",
    ...indented(indented(lines)),
    "    finally:",
    "        browser.close()",
  ];
}

function preludeOf({ answersDialogs, scrolls }: Script): readonly string[] {
  return [
    ...(answersDialogs
      ? [
          `usual_answer = ${answerWith("dialog.default_value")}`,
          "answer_dialog = usual_answer",
          'context.on("dialog", lambda dialog: answer_dialog(dialog))',
        ]
      : []),
    ...(scrolls ? [`scroll = ${text(scrollFunction)}`] : []),
  ];
}

function answerWith(promptText: string): string {
  return `lambda dialog: dialog.accept(${promptText}) if dialog.type == "prompt" else dialog.accept()`;
}

function linesOf(statements: readonly Statement[]): readonly string[] {
  return statements.flatMap(linesOfOne);
}

function linesOfOne(statement: Statement): readonly string[] {
  switch (statement.do) {
    case "comment":
      return [commentLine(statement.text)];
    case "call": {
      const { on, method, values } = statement;
      const subject = on === "page" ? "page" : on === "keyboard" ? "page.keyboard" : locatorOf(on);
      return [`${subject}.${snakeCase(method)}(${values.map(written).join(", ")})`];
    }
    case "open_tab":
      return [
        "page = context.new_page()",
        `page.goto(${written(statement.url)}, wait_until="domcontentloaded")`,
      ];
    case "close_tab":
      return [
        "if len(context.pages) == 1:",
        "    context.new_page()",
        "page.close()",
        "page = context.pages[-1]",
      ];
    case "switch_tab":
      return [`page = context.pages[${statement.index}]`, "page.bring_to_front()"];
    case "scroll":
      return [`page.evaluate(scroll, [${statement.direction}, ${statement.amount ?? "None"}])`];
    case "evaluate":
      return [`print(page.evaluate(${text(statement.code)}))`];
    case "print_text":
      return [`print(${locatorOf(statement.target)}.inner_text())`];
    case "download":
      return [
        "with page.expect_download() as download:",
        `    ${locatorOf(statement.target)}.click()`,
        "# A session keeps its downloads itself.",
        'if os.environ.get("CDP_URL"):',
        "    download.value.failure()",
        "else:",
        "    download.value.save_as(download.value.suggested_filename)",
      ];
    case "choose_file":
      return [
        "with page.expect_file_chooser() as chooser:",
        `    ${locatorOf(statement.target)}.click()`,
        `chooser.value.set_files(${text(statement.file)})`,
      ];
    case "answer_dialogs":
      return [`answer_dialog = ${answerOf(statement.answer)}`];
    case "expect":
      return expectationOf(statement);
  }
}

function answerOf(answer: Extract<Statement, { readonly do: "answer_dialogs" }>["answer"]): string {
  if (answer === null) return "usual_answer";
  if (!answer.accept) return "lambda dialog: dialog.dismiss()";
  return answer.text === null ? "usual_answer" : answerWith(text(answer.text));
}

function expectationOf({
  event,
  body,
}: Extract<Statement, { readonly do: "expect" }>): readonly string[] {
  const done = indented(linesOf(body));
  switch (event) {
    case "tab":
      return ["with context.expect_page() as opened:", ...done, "page = opened.value"];
    case "navigation":
      return [
        'with page.expect_event("framenavigated", lambda frame: frame == page.main_frame):',
        ...done,
      ];
    case "close":
      return [
        'with page.expect_event("close"):',
        ...done,
        "page = context.pages[-1] if context.pages else context.new_page()",
      ];
  }
}

function written(value: ScriptValue): string {
  if (typeof value === "string") return text(value);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if ("before" in value) {
    return `${text(value.before)} + os.environ["${value.secret}"] + ${text(value.after)}`;
  }
  if ("secret" in value) return `os.environ["${value.secret}"]`;
  if ("element" in value) return locatorOf(value.element);
  return `${snakeCase(value.option)}=${written(value.is)}`;
}

function locatorOf({ frames, locator, pick }: ScriptTarget): string {
  const path = frames.map((frame) => `.frame_locator(${text(frame)})`).join("");
  const element =
    locator.by === "role"
      ? `.get_by_role(${text(locator.role)}, name=${text(locator.name)}, exact=True)`
      : `.locator(${text(locator.selector)})`;
  const picked = { first: ".first", first_visible: ".filter(visible=True).first" };
  return `page${path}${element}${pick === null ? "" : picked[pick]}`;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Python reads the escapes of JSON, but for characters beyond 16 bits and halves of them. */
function text(value: string): string {
  return JSON.stringify(value.toWellFormed())
    .replace(/[\ud800-\udbff][\udc00-\udfff]/g, (pair) => escaped("U", pair.codePointAt(0), 8))
    .replace(/[\u007f-\uffff]/g, (unit) => escaped("u", unit.charCodeAt(0), 4));
}

function escaped(letter: "u" | "U", code: number | undefined, digits: number): string {
  return `\\${letter}${(code ?? 0).toString(16).padStart(digits, "0")}`;
}

/** Near the top of a file, a comment can tell Python how to decode the rest: none of ours may. */
function commentLine(comment: string): string {
  return `# ${oneLine(comment).replace(/coding(?=[:=])/g, "coding ")}`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === "" ? "" : `    ${line}`));
}
