import type { BrowserContext, Dialog } from "playwright-core";

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

/** Answers every JavaScript dialog at once, so that none ever blocks its page, and remembers what it said. */
export class Dialogs {
  #seen: SeenDialog[] = [];
  #answer: DialogAnswer = defaultAnswer;

  constructor(context: BrowserContext) {
    context.on("dialog", (dialog) => void this.#handle(dialog));
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
