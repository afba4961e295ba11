import type { LanguageModel } from "ai";

/** Which model, and where. */
export interface VendorSettings {
  /** `vendor/name`: openai, anthropic, google, or compatible for any OpenAI-compatible endpoint. */
  readonly model: string;
  /** The endpoint's base URL; null for the vendor's own. */
  readonly modelUrl: string | null;
  /** Null where the endpoint asks for none. */
  readonly modelKey: string | null;
}

/** The vendor's model. Its package is loaded only here, since it takes memory. */
export async function loadVendorModel(settings: VendorSettings): Promise<LanguageModel> {
  const { model, modelUrl, modelKey } = settings;
  const slash = model.indexOf("/");
  const name = model.slice(slash + 1);
  // Without a text the packages would take a key out of variables that are no settings of this server.
  const apiKey = modelKey ?? "";
  const options = { apiKey, ...(modelUrl !== null && { baseURL: modelUrl }) };
  switch (model.slice(0, slash)) {
    case "openai": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      // Not the newer protocol: what stands in for the vendor at another URL speaks this one.
      return createOpenAI(options).chat(name);
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic(options)(name);
    }
    case "google": {
      const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
      return createGoogleGenerativeAI(options)(name);
    }
    default: {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      return createOpenAICompatible({
        name: "compatible",
        baseURL: modelUrl ?? "",
        ...(modelKey !== null && { apiKey: modelKey }),
      })(name);
    }
  }
}
