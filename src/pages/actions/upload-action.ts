import type { ElementHandle, Locator } from "playwright-core";
import { type GivenFile, isAccepted } from "./accepted-files.ts";
import type { ActionOf, ActionWay } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { ActionFailed, asActionFailure } from "./failure.ts";
import { press } from "./pressing.ts";
import { type StagedFile, stage } from "./staged-files.ts";
import { type Found, type FoundTarget, findTarget } from "./target.ts";

/** How long a press may take to open the chooser of files, in ms. */
const chooserTimeoutMs = 3000;
/** How long a look at the input may take afterwards, in ms. */
const lookTimeoutMs = 1000;
const mostNamed = 20;

/** Gives an uploaded file of the tenant's to a file input, or to the button that opens one. */
export async function uploadFile(
  context: ActionContext,
  action: ActionOf<"upload_file">,
): Promise<Done> {
  const { fileName, timeoutMs } = action;
  const source = await context.files.uploadPath(fileName);
  if (source === null) throw await noSuchFile(context, fileName);
  const found = await findTarget(context, action.target, timeoutMs);
  const file = await stage(context.driver, source, fileName);
  const place = await inputPlaceOf(found, timeoutMs);
  const input = inputAt(found, place);
  let given: GivenFile | null;
  if (input !== null) {
    // Inputs are often hidden behind a button of the page's own; they take a file all the same.
    await refuseDisabled(input, found, timeoutMs);
    await input.setInputFiles(file, { timeout: timeoutMs }).catch((error: unknown) => {
      throw asActionFailure(error, found.called);
    });
    given = await input
      .evaluate(givenFile as (input: unknown) => GivenFile | null, undefined, {
        timeout: lookTimeoutMs,
      })
      .catch(() => null);
  } else given = await chooseByPress(context, found, action, file);
  const isRefused = given !== null && !isAccepted(given);
  const note = isRefused
    ? ` The page asks for files of the kind ${given?.accept}, which this one is not: it may refuse it.`
    : "";
  return {
    message: `Gave "${fileName}" to ${found.called}.${note}`,
    elementId: found.id,
    way: { kind: "files", through: place },
  };
}

async function chooseByPress(
  context: ActionContext,
  found: FoundTarget,
  action: ActionOf<"upload_file">,
  file: StagedFile,
): Promise<GivenFile | null> {
  const chooser = context.page.page.waitForEvent("filechooser", {
    timeout: action.timeoutMs + chooserTimeoutMs,
  });
  chooser.catch(() => {});
  await press(context, found, action);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new ActionFailed(
          "wrong_kind",
          `${found.called} is no file input, and clicking it opened none.`,
        ),
      ),
    chooserTimeoutMs,
  );
  try {
    const opened = await Promise.race([chooser, late]);
    await opened.setFiles(file);
    const input: ElementHandle = opened.element();
    return await input
      .evaluate(givenFile as (input: unknown) => GivenFile | null)
      .catch(() => null);
  } finally {
    clearTimeout(timer);
  }
}

async function noSuchFile(context: ActionContext, name: string): Promise<ActionFailed> {
  const names = await context.files.uploadNames();
  return new ActionFailed(
    "no_such_file",
    names.length === 0
      ? `There is no uploaded file "${name}": upload it first (POST /storage/uploads/${encodeURIComponent(name)}).`
      : `There is no uploaded file "${name}". There are: ${names.slice(0, mostNamed).join(", ")}.`,
  );
}

type InputPlace = Extract<ActionWay, { readonly kind: "files" }>["through"];

/** Which file input is meant: the element itself, one inside it, or one that a press opens the chooser of. */
function inputPlaceOf({ locator }: Found, timeout: number): Promise<InputPlace> {
  return locator.evaluate(
    (element: {
      readonly localName: string;
      readonly type?: string;
      querySelector(selector: string): unknown;
    }) => {
      if (element.localName === "input" && element.type === "file") return "input";
      return element.querySelector("input[type=file]") === null ? "chooser" : "inner_input";
    },
    undefined,
    { timeout },
  );
}

function inputAt({ locator }: Found, place: InputPlace): Locator | null {
  if (place === "input") return locator;
  return place === "inner_input" ? locator.locator("input[type=file]").first() : null;
}

/** Files can be given to disabled inputs by protocol, but not by a person. */
async function refuseDisabled(input: Locator, { called }: Found, timeout: number): Promise<void> {
  if (await input.isEnabled({ timeout })) return;
  throw new ActionFailed("disabled", `${called} is disabled: it takes no file as the page is now.`);
}

function givenFile(input: {
  readonly accept: string;
  readonly files: Readonly<Record<number, { readonly type: string; readonly name: string }>> | null;
}): GivenFile | null {
  const file = input.files?.[0];
  return file === undefined ? null : { accept: input.accept, type: file.type, name: file.name };
}
