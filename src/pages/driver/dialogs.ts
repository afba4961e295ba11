import type { BrowserContext, Dialog, Page } from "playwright-core";

/** How the next JavaScript dialogs of a page are to be answered. */
export interface DialogAnswer {
  readonly accept: boolean;
  /** What is typed into a prompt; null leaves its default. */
  readonly text: string | null;
}

/** A JavaScript dialog that a page showed, and what became of it. */
export interface SeenDialog {
  readonly type: "alert" | "confirm" | "prompt" | "beforeunload";
  readonly message: string;
  readonly answer: DialogAnswer;
}

/** A page that asks without end must not fill the memory. */
const mostKept = 50;
const longestMessage = 1000;

/** As a person who goes on: alerts are confirmed, questions answered yes, prompts left as they are. */
const defaultAnswer: DialogAnswer = { accept: true, text: null };

/** How often it is looked whether a dialog is still a person's to answer, in ms. */
const lookEveryMs = 500;

/**
 * Answers every JavaScript dialog at once, so that none ever blocks its page, and remembers what it
 * said. One that a person is to answer waits for them, until they leave or an operation begins.
 */
export class Dialogs {
  readonly #isForPerson: () => boolean;
  #seen: SeenDialog[] = [];
  #answer: DialogAnswer = defaultAnswer;
  /** By their pages, which show one at a time. */
  readonly #left = new Map<Page | null, Dialog>();
  #timer: NodeJS.Timeout | null = null;

  /** `isForPerson`: whether somebody sees the pages now and answers what they ask. */
  constructor(context: BrowserContext, isForPerson: () => boolean) {
    this.#isForPerson = isForPerson;
    context.on("dialog", (dialog) => {
      if (isForPerson()) this.#leave(dialog);
      else void this.#handle(dialog);
    });
  }

  /** An operation begins: nothing may be in its way. */
  async answerLeft(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const left = [...this.#left.values()];
    this.#left.clear();
    await Promise.all(left.map((dialog) => this.#handle(dialog)));
  }

  #leave(dialog: Dialog): void {
    const page = dialog.page();
    this.#left.set(page, dialog);
    page?.once("close", () => this.#left.delete(page));
    this.#timer ??= setInterval(() => {
      if (!this.#isForPerson()) void this.answerLeft();
    }, lookEveryMs);
    this.#timer.unref();
  }

  /** How dialogs are answered from now on; null for the usual way. */
  answerWith(answer: DialogAnswer | null): void {
    this.#answer = answer ?? defaultAnswer;
  }

  /** The dialogs since the last call. */
  take(): readonly SeenDialog[] {
    return this.#seen.splice(0);
  }

  async #handle(dialog: Dialog): Promise<void> {
    const answer = this.#answer;
    if (this.#seen.length < mostKept) {
      this.#seen.push({
        type: dialog.type() as SeenDialog["type"],
        message: dialog.message().slice(0, longestMessage),
        answer,
      });
    }
    try {
      if (!answer.accept) await dialog.dismiss();
      else if (dialog.type() !== "prompt") await dialog.accept();
      else await dialog.accept(answer.text ?? dialog.defaultValue());
    } catch {
      // Another CDP client of the session answered it first, or the page is gone.
    }
  }
}
