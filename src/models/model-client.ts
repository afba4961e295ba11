import type { LanguageModel, ModelMessage } from "ai";
import { ModelSlots } from "./model-slots.ts";
import { loadVendorModel, type VendorSettings } from "./vendor-model.ts";

export interface ModelClientOptions extends VendorSettings {
  /** For one answer, with the retries that it takes. */
  readonly modelTimeoutMs: number;
  /** Requests at the vendor at once; others wait. */
  readonly modelMaxRequests: number;
  /** Hears why the vendor failed, for the operator; without the key. */
  readonly onFailure: (detail: string) => void;
}

/** The text that a model answered, or a sentence that says why there is none. */
export type ModelAnswer = { readonly text: string } | { readonly error: string };

/** How often a vendor that is busy or fails is asked again. */
const mostRetries = 2;

/** Asks the configured model, within bounds of time and number. */
export class ModelClient {
  readonly #options: ModelClientOptions;
  readonly #slots: ModelSlots;
  #model: Promise<LanguageModel> | null = null;

  constructor(options: ModelClientOptions) {
    this.#options = options;
    this.#slots = new ModelSlots(options.modelMaxRequests);
  }

  /** What goes wrong is an answer; throws only the signal's reason. */
  async ask(
    role: string,
    messages: readonly ModelMessage[],
    signal: AbortSignal,
  ): Promise<ModelAnswer> {
    const { modelTimeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(modelTimeoutMs);
    const until = AbortSignal.any([signal, timeout]);
    try {
      const giveBack = await this.#slots.take(until);
      try {
        return await this.#generate(role, messages, until);
      } finally {
        giveBack();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) {
        const text = `The model did not answer within ${modelTimeoutMs / 1000} seconds.`;
        this.#options.onFailure(text);
        return { error: text };
      }
      const { vendorFailureOf } = await import("./vendor-failure.ts");
      const { text, detail } = vendorFailureOf(error, this.#options.modelKey);
      this.#options.onFailure(detail);
      return { error: text };
    }
  }

  async #generate(
    role: string,
    messages: readonly ModelMessage[],
    signal: AbortSignal,
  ): Promise<ModelAnswer> {
    const { generateText } = await import("ai");
    // It would write to the server's output.
    globalThis.AI_SDK_LOG_WARNINGS = false;
    this.#model ??= loadVendorModel(this.#options);
    const { text, finishReason } = await generateText({
      model: await this.#model,
      instructions: role,
      messages: [...messages],
      maxRetries: mostRetries,
      abortSignal: signal,
    });
    if (finishReason === "length") {
      return { error: "The model's answer was cut off: ask for less, or for a part of the page." };
    }
    if (finishReason === "content-filter") {
      return { error: "The model's vendor withheld the answer because of what the page holds." };
    }
    return text.trim() === "" ? { error: "The model answered nothing." } : { text };
  }
}
