import { Command } from "commander";
import { z } from "zod";
import { settingsSchema } from "../config.ts";

/** `nightjar settings`: every setting with its default and meaning; docs/configuration.md is this text. */
export function settingsCommand(): Command {
  return new Command("settings")
    .description("print every setting, its default and its meaning, as Markdown")
    .action(() => console.log(settingsMarkdown()));
}

export function settingsMarkdown(): string {
  const { properties = {} } = z.toJSONSchema(settingsSchema, { io: "input" });
  const rows = Object.entries(properties).map(([name, schema]) => {
    const { default: value, description = "" } = schema as {
      default?: unknown;
      description?: string;
    };
    const shown = value === undefined || value === "" ? "" : `\`${String(value)}\``;
    return `| \`${name}\` | ${shown} | ${description} |`;
  });
  return [
    "# Configuration",
    "",
    "Settings are environment variables. An unknown or invalid `NIGHTJAR_*` variable stops the start with a message that names it. This page is what `npm run nightjar -- settings` prints.",
    "",
    "| Setting | Default | Meaning |",
    "| --- | --- | --- |",
    ...rows,
  ].join("\n");
}
