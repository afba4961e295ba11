import {
  oneLine,
  type Script,
  type ScriptTarget,
  type ScriptValue,
  type Statement,
  scrollFunction,
} from "./script.ts";

type Call = Extract<Statement, { readonly do: "call" }>;

/** Renders a script as JavaScript for Playwright in Node: a module, or its statements alone. */
export function toJavaScript(script: Script, isWhole: boolean): string {
  const lines = [
    ...script.notes.map(commentLine),
    ...preludeOf(script),
    ...linesOf(script.statements),
  ];
  return `${(isWhole ? wholeOf(script, lines) : lines).join("\n")}\n`;
}

function wholeOf(script: Script, lines: readonly string[]): readonly string[] {
  return [
    'import { chromium } from "playwright";',
    "",
    ...(script.uploads ? ["// Files to upload are read from the working directory."] : []),
    ...(script.secrets.length === 0
      ? []
      : [
          "// Secrets are not in this script: the environment has to hold them.",
          `for (const name of [${script.secrets.map(text).join(", ")}]) {`,
          "  if (process.env[name] === undefined) throw new Error('Set the environment variable ' + name);",
          "}",
          "",
        ]),
    "// With CDP_URL the script runs in a session that is there, otherwise in a browser of its own.",
    "const { CDP_URL } = process.env;",
    "const browser = CDP_URL ? await chromium.connectOverCDP(CDP_URL) : await chromium.launch();",
    "try {",
    "  const context = browser.contexts()[0] ?? (await browser.newContext());",
    "  let page = context.pages()[0] ?? (await context.newPage());",
    ...indented(lines),
    "} finally {",
    "  await browser.close();",
    "}",
  ];
}

function preludeOf({ answersDialogs, scrolls }: Script): readonly string[] {
  return [
    ...(answersDialogs
      ? [
          `const usualAnswer = ${usualAnswer};`,
          "let answerDialog = usualAnswer;",
          'context.on("dialog", (dialog) => answerDialog(dialog).catch(() => {}));',
        ]
      : []),
    ...(scrolls ? `const scroll = ${scrollFunction};`.split("\n") : []),
  ];
}

const usualAnswer =
  '(dialog) => (dialog.type() === "prompt" ? dialog.accept(dialog.defaultValue()) : dialog.accept())';

function linesOf(statements: readonly Statement[]): readonly string[] {
  return statements.flatMap(linesOfOne);
}

function linesOfOne(statement: Statement): readonly string[] {
  switch (statement.do) {
    case "comment":
      return [commentLine(statement.text)];
    case "call":
      return [`await ${callOf(statement)};`];
    case "open_tab":
      return [
        "page = await context.newPage();",
        `await page.goto(${written(statement.url)}, { waitUntil: "domcontentloaded" });`,
      ];
    case "close_tab":
      return [
        "if (context.pages().length === 1) await context.newPage();",
        "await page.close();",
        "page = context.pages().at(-1);",
      ];
    case "switch_tab":
      return [`page = context.pages().at(${statement.index});`, "await page.bringToFront();"];
    case "scroll":
      return [`await page.evaluate(scroll, [${statement.direction}, ${statement.amount}]);`];
    case "evaluate":
      return [`console.log(await page.evaluate(${text(statement.code)}));`];
    case "print_text":
      return [`console.log(await ${locatorOf(statement.target)}.innerText());`];
    case "download":
      return [
        "{",
        "  const [download] = await Promise.all([",
        '    page.waitForEvent("download"),',
        `    ${locatorOf(statement.target)}.click(),`,
        "  ]);",
        "  // A session keeps its downloads itself.",
        "  if (process.env.CDP_URL) await download.failure();",
        "  else await download.saveAs(download.suggestedFilename());",
        "}",
      ];
    case "choose_file":
      return [
        "{",
        "  const [chooser] = await Promise.all([",
        '    page.waitForEvent("filechooser"),',
        `    ${locatorOf(statement.target)}.click(),`,
        "  ]);",
        `  await chooser.setFiles(${text(statement.file)});`,
        "}",
      ];
    case "answer_dialogs":
      return [`answerDialog = ${answerOf(statement.answer)};`];
    case "expect":
      return expectationOf(statement);
  }
}

function answerOf(answer: Extract<Statement, { readonly do: "answer_dialogs" }>["answer"]): string {
  if (answer === null) return "usualAnswer";
  if (!answer.accept) return "(dialog) => dialog.dismiss()";
  return answer.text === null
    ? "usualAnswer"
    : `(dialog) => (dialog.type() === "prompt" ? dialog.accept(${text(answer.text)}) : dialog.accept())`;
}

const awaited = {
  tab: 'context.waitForEvent("page")',
  navigation: 'page.waitForEvent("framenavigated", (frame) => frame === page.mainFrame())',
  close: 'page.waitForEvent("close")',
} as const;

function expectationOf({
  event,
  body,
}: Extract<Statement, { readonly do: "expect" }>): readonly string[] {
  const [only] = body;
  const done =
    body.length === 1 && only?.do === "call"
      ? [`  ${callOf(only)},`]
      : ["  (async () => {", ...indented(indented(linesOf(body))), "  })(),"];
  return [
    `${event === "tab" ? "[page] = " : ""}await Promise.all([`,
    `  ${awaited[event]},`,
    ...done,
    "]);",
    ...(event === "close" ? ["page = context.pages().at(-1) ?? (await context.newPage());"] : []),
  ];
}

function callOf({ on, method, values }: Call): string {
  const subject = on === "page" ? "page" : on === "keyboard" ? "page.keyboard" : locatorOf(on);
  return `${subject}.${method}(${values.map(written).join(", ")})`;
}

function written(value: ScriptValue): string {
  if (typeof value === "string") return text(value);
  if (typeof value !== "object" || value === null) return String(value);
  if ("before" in value) {
    return `${text(value.before)} + process.env.${value.secret} + ${text(value.after)}`;
  }
  if ("secret" in value) return `process.env.${value.secret}`;
  if ("element" in value) return locatorOf(value.element);
  return `{ ${value.option}: ${written(value.is)} }`;
}

function locatorOf({ frames, locator, pick }: ScriptTarget): string {
  const path = frames.map((frame) => `.frameLocator(${text(frame)})`).join("");
  const element =
    locator.by === "role"
      ? `.getByRole(${text(locator.role)}, { name: ${text(locator.name)}, exact: true })`
      : `.locator(${text(locator.selector)})`;
  const picked = { first: ".first()", first_visible: ".filter({ visible: true }).first()" };
  return `page${path}${element}${pick === null ? "" : picked[pick]}`;
}

/** JSON is JavaScript, but for two line ends that tools of before 2019 take for such. */
function text(value: string): string {
  return JSON.stringify(value).replace(
    /[\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

function commentLine(comment: string): string {
  return `// ${oneLine(comment)}`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}
