import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";

/** The key that the vendor knows, unless a test sets another. */
export const vendorKey = "sk-the-key-of-this-server";

/** What the vendor answers to one request. */
export type VendorReply =
  | { readonly text: string; readonly finish?: "stop" | "length" | "content_filter" }
  | {
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** This body, with the status 200. */
  | { readonly raw: string }
  | "nothing ever";

/** A request as any of the protocols carries it. */
export interface VendorRequest {
  readonly path: string;
  readonly system: string;
  readonly messages: readonly { readonly role: string; readonly text: string }[];
}

const text = z.union([
  z.string(),
  z
    .array(z.object({ text: z.string() }))
    .transform((parts) => parts.map((part) => part.text).join()),
]);
const message = z.object({ role: z.string(), content: text });

const openAiBody = z.object({ model: z.string(), messages: z.array(message).min(1) });
const anthropicBody = z.object({
  model: z.string(),
  max_tokens: z.int().min(1),
  system: text,
  messages: z.array(message).min(1),
});
const googleParts = z.object({ parts: z.array(z.object({ text: z.string() })) });
const googleBody = z.object({
  systemInstruction: googleParts,
  contents: z.array(googleParts.extend({ role: z.string() })).min(1),
});

/**
 * A model's vendor on loopback, in three protocols: OpenAI's chat completions, Anthropic's messages
 * and Google's generateContent. Gives the replies that a test set, in their order, the last one for
 * ever; refuses other keys than its own and bodies that the real vendor would refuse.
 */
export class ModelVendor {
  readonly requests: VendorRequest[] = [];
  /** Requests that are being answered now, and the most there ever were. */
  readonly load = { now: 0, most: 0 };
  /** The key that it asks for; empty where it asks for none. */
  key = vendorKey;
  /** How long it thinks about each answer, in ms. */
  thinkingMs = 0;
  readonly #server: Server;
  #replies: readonly VendorReply[] = [];
  #hungUp = 0;
  #watchers: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      void this.#serve(request, response);
    });
  }

  static async start(): Promise<ModelVendor> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ModelVendor(server);
  }

  /** The base URL of the OpenAI-compatible and Anthropic endpoints. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Forgets what was, and answers this from now on. */
  answer(...replies: VendorReply[]): void {
    this.#replies = replies;
    this.requests.length = 0;
    this.load.most = 0;
    this.#hungUp = 0;
    this.thinkingMs = 0;
    this.key = vendorKey;
  }

  /** Resolves when so many requests have come. */
  async received(count: number): Promise<void> {
    await this.#until(() => this.requests.length >= count);
  }

  /** Resolves when so many clients hung up before they were answered. */
  async hungUp(count: number): Promise<void> {
    await this.#until(() => this.#hungUp >= count);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #tell(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const protocol = protocolOf(request);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = protocol?.read(JSON.parse(Buffer.concat(chunks).toString()));
    if (protocol === undefined || body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const count = this.requests.push({ ...body, path: request.url ?? "" });
    this.load.now += 1;
    this.load.most = Math.max(this.load.most, this.load.now);
    response.once("close", () => {
      this.load.now -= 1;
      if (!response.writableFinished) this.#hungUp += 1;
      this.#tell();
    });
    this.#tell();
    await wait(this.thinkingMs);
    const reply = this.#replies[Math.min(count, this.#replies.length) - 1] ?? "nothing ever";
    if (reply === "nothing ever") return;
    const refusal = { status: 401, message: `Incorrect API key provided: ${protocol.key}` };
    send(response, protocol, (protocol.key ?? "").trim() === this.key ? reply : refusal);
  }
}

interface Protocol {
  readonly key: string | undefined;
  read(body: unknown): Omit<VendorRequest, "path"> | undefined;
  success(text: string, finish: "stop" | "length" | "content_filter"): unknown;
  failure(status: number, message: string): unknown;
}

function send(
  response: ServerResponse,
  protocol: Protocol,
  reply: Exclude<VendorReply, "nothing ever">,
): void {
  response.setHeader("Content-Type", "application/json");
  if ("raw" in reply) response.end(reply.raw);
  else if ("text" in reply) {
    response.end(JSON.stringify(protocol.success(reply.text, reply.finish ?? "stop")));
  } else {
    const { status, message: words = "It failed.", headers = {} } = reply;
    response.writeHead(status, headers).end(JSON.stringify(protocol.failure(status, words)));
  }
}

function protocolOf({ url = "", headers, method }: IncomingMessage): Protocol | undefined {
  if (method !== "POST") return undefined;
  if (url === "/v1/chat/completions")
    return openAi(headers.authorization?.replace(/^Bearer */, ""));
  if (url === "/v1/messages") return anthropic(headers["x-api-key"]?.toString());
  if (/^\/v1\/models\/[^/]+:generateContent$/.test(url)) {
    return google(headers["x-goog-api-key"]?.toString());
  }
  return undefined;
}

const openAi = (key: string | undefined): Protocol => ({
  key,
  read: (body) => {
    const { messages } = openAiBody.parse(body);
    const said = messages.map(({ role, content }) => ({ role, text: content }));
    return {
      system: said.find(({ role }) => role === "system" || role === "developer")?.text ?? "",
      messages: said.filter(({ role }) => role === "user" || role === "assistant"),
    };
  },
  success: (content, finish) => ({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_790_000_000,
    model: "a-model",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, refusal: null },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  }),
  failure: (status, words) => ({
    error: { message: words, type: "error", param: null, code: String(status) },
  }),
});

const anthropic = (key: string | undefined): Protocol => ({
  key,
  read: (body) => {
    const { system, messages } = anthropicBody.parse(body);
    return { system, messages: messages.map(({ role, content }) => ({ role, text: content })) };
  },
  success: (content, finish) => ({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "a-model",
    content: [{ type: "text", text: content }],
    stop_reason: finish === "length" ? "max_tokens" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  }),
  failure: (_status, words) => ({
    type: "error",
    error: { type: "invalid_request_error", message: words },
  }),
});

const google = (key: string | undefined): Protocol => ({
  key,
  read: (body) => {
    const { systemInstruction, contents } = googleBody.parse(body);
    const textOf = ({ parts }: z.output<typeof googleParts>) =>
      parts.map((part) => part.text).join();
    return {
      system: textOf(systemInstruction),
      messages: contents.map((content) => ({ role: content.role, text: textOf(content) })),
    };
  },
  success: (content, finish) => ({
    candidates: [
      {
        content: { role: "model", parts: [{ text: content }] },
        finishReason: finish === "length" ? "MAX_TOKENS" : "STOP",
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
  }),
  failure: (status, words) => ({ error: { code: status, message: words, status: "FAILED" } }),
});
