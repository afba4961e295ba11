import { targetOf } from "./script-target.ts";
import type { ActionStep } from "./step.ts";

/**
 * Pages choose the names of their fields, so what is made of them must not lead to any other
 * variable of whoever runs the script.
 */
const prefix = "SECRET_";

/** Names the environment variables of one script's secrets, each once. */
export class SecretNames {
  readonly #taken = new Set<string>();

  get all(): readonly string[] {
    return [...this.#taken];
  }

  /** A new name after what the secret is. */
  take(what: string): string {
    const words = what
      .normalize("NFKD")
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "")
      .slice(0, 40);
    const name = `${prefix}${words === "" ? "TEXT" : words}`;
    let free = name;
    for (let number = 2; this.#taken.has(free); number += 1) free = `${name}_${number}`;
    this.#taken.add(free);
    return free;
  }
}

/** What the secret of a step is, by its field; empty where nothing says. */
export function secretCalled(step: ActionStep): string {
  if (step.action.type === "multi_factor_fill") return "one-time code";
  if (step.action.type === "press_key") return "typed keys";
  const target = targetOf(step);
  if (target === null) return "";
  if (target.locator.by === "role") return target.locator.name;
  const { selector } = target.locator;
  const [, id, quoted] = /#([\w-]+)$|["']([^"']+)["'][^"']*$/.exec(selector) ?? [];
  return id ?? quoted ?? (/password/i.test(selector) ? "password" : "");
}
