import { z } from "zod";
import type { Nightjar } from "./nightjar.ts";

const observed = z.object({
  text: z.string(),
  metadata: z.object({ title: z.string(), url: z.string() }),
  space: z.object({
    interaction_actions: z.array(
      z.object({
        id: z.string(),
        element: z.object({
          role: z.string(),
          name: z.string(),
          value: z.string().nullable(),
          context: z.string().nullable(),
          covered_by: z.string().nullable(),
          place: z.string(),
        }),
      }),
    ),
  }),
});

/** What an agent looks for among the things of an observation. */
export interface Wanted {
  readonly role?: string;
  readonly name: string | RegExp;
  readonly context?: RegExp;
}

/** Works on pages as a model does: by what observations say and their ids, over HTTP, and by nothing else. */
export class Agent {
  readonly sessionId: string;
  readonly #server: Nightjar;
  text = "";

  private constructor(server: Nightjar, sessionId: string) {
    this.#server = server;
    this.sessionId = sessionId;
  }

  static async start(server: Nightjar): Promise<Agent> {
    const { id } = await server.startSession();
    return new Agent(server, id);
  }

  async observe(): Promise<z.infer<typeof observed>> {
    const body = { screenshot: false };
    const answer = await this.#server.call("POST", `/sessions/${this.sessionId}/page/observe`, {
      body,
    });
    const seen = observed.parse(answer.body);
    this.text = seen.text;
    return seen;
  }

  /** The id of the one thing that is wanted; throws with the page's text when there is none. */
  async find({ role, name, context }: Wanted): Promise<string> {
    const { space, text } = await this.observe();
    const found = space.interaction_actions.filter(
      ({ element }) =>
        (role === undefined || element.role === role) &&
        (typeof name === "string" ? element.name === name : name.test(element.name)) &&
        (context === undefined || context.test(element.context ?? "")),
    );
    const [first] = found;
    if (first === undefined) throw new Error(`there is no ${role ?? "thing"} ${name}:\n${text}`);
    return first.id;
  }

  async has(wanted: Wanted): Promise<boolean> {
    return this.find(wanted).then(
      () => true,
      () => false,
    );
  }

  /** Does an action; throws with the server's words when it fails. */
  async act(action: Record<string, unknown>): Promise<string> {
    const answer = await this.#server.call("POST", `/sessions/${this.sessionId}/page/execute`, {
      body: action,
    });
    if (answer.body["success"] !== true) throw new Error(String(answer.body["message"]));
    return String(answer.body["message"]);
  }

  goto(url: string): Promise<string> {
    return this.act({ type: "goto", url });
  }

  async click(name: Wanted["name"], more: Omit<Wanted, "name"> = {}): Promise<string> {
    return this.act({ type: "click", id: await this.find({ ...more, name }) });
  }

  async fill(name: Wanted["name"], value: string, press_enter = false): Promise<string> {
    return this.act({ type: "fill", id: await this.find({ name }), value, press_enter });
  }

  async choose(name: Wanted["name"], value: string): Promise<string> {
    return this.act({ type: "select_dropdown_option", id: await this.find({ name }), value });
  }

  async check(name: Wanted["name"], value = true): Promise<string> {
    return this.act({ type: "check", id: await this.find({ name }), value });
  }

  async stop(): Promise<void> {
    await this.#server.call("DELETE", `/sessions/${this.sessionId}/stop`);
  }
}
