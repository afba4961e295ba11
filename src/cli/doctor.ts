import { Command } from "commander";
import type { Config } from "../config.ts";
import type { Diagnosis } from "../doctor/doctor.ts";

/** `nightjar doctor`: whether this host is fit to serve, and what is left over on it. */
export function doctorCommand(config: () => Config): Command {
  return new Command("doctor")
    .description(
      "look whether this host can serve sessions, and for what is left over of them; repairs nothing; exit code 1 where there is a problem",
    )
    .option("--json", "print it for machines")
    .action(async (options: { json?: true }) => {
      // Loaded here: the other commands need none of what browsers are launched with.
      const { diagnose } = await import("../doctor/doctor.ts");
      const diagnosis = await diagnose(config());
      console.log(options.json === true ? asJson(diagnosis) : inLines(diagnosis));
      if (diagnosis.status === "problem") process.exitCode = 1;
    });
}

function asJson({ status, checks, leftOver }: Diagnosis): string {
  return JSON.stringify({ status, checks, left_over: leftOver }, null, 2);
}

function inLines({ checks }: Diagnosis): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(
    ({ status, name, message }) => `${status.padEnd(7)}  ${name.padEnd(width)}  ${message}`,
  );
  const count = (status: string): number =>
    checks.filter((check) => check.status === status).length;
  return [...lines, "", `problems: ${count("problem")}, warnings: ${count("warning")}`].join("\n");
}
