/** Checks a value against a schema in a thread of its own, which can be ended when a pattern takes for ever. */
import { parentPort, workerData } from "node:worker_threads";
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonSchema } from "../pages/scrape/structured-extractor.ts";
import type { CheckInput, Verdict } from "./schema-check.ts";

/** How many mistakes are told, and how much of each, in characters. */
const mostMistakes = 10;
const mostCharacters = 300;

const options: Options = {
  // Schemas come from many makers: what a keyword or a format means that is not known is not checked.
  strict: false,
  validateFormats: false,
  validateSchema: false,
  allErrors: true,
  logger: false,
  code: { regExp: Object.assign(patternOf, { code: "patternOf" }) },
};

parentPort?.postMessage(check(workerData));

function check(input: CheckInput): Verdict {
  let validate: ValidateFunction;
  try {
    validate = compile(input.schema);
  } catch (error) {
    return { kind: "unusable", reason: reasonOf(error) };
  }
  if ("$async" in validate) return { kind: "unusable", reason: "`$async` is not supported" };
  if (!("value" in input) || validate(input.value)) return { kind: "fits" };
  const mistakes = (validate.errors ?? []).slice(0, mostMistakes).map(mistakeOf);
  return { kind: "misfit", mistakes };
}

/** By the draft that the schema names; by the newest, else by draft 7, where it names none. */
function compile({ $schema, ...schema }: JsonSchema): ValidateFunction {
  if (/draft-0[4-7]/.test(String($schema))) return new Ajv(options).compile(schema);
  try {
    return new Ajv2020(options).compile(schema);
  } catch (error) {
    if ($schema !== undefined) throw error;
    try {
      return new Ajv(options).compile(schema);
    } catch {
      throw error;
    }
  }
}

/** Patterns of other languages may hold escapes that JavaScript only takes outside its Unicode mode. */
function patternOf(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return new RegExp(pattern);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Ajv.MissingRefError) {
    return `\`$ref\` "${short(error.missingRef)}" leads to nothing in it; other documents are never fetched`;
  }
  return short(error instanceof Error ? error.message : String(error));
}

function mistakeOf({ instancePath, message, params }: ErrorObject): string {
  const { allowedValues, additionalProperty, unevaluatedProperty, allowedValue } = params;
  const detail = allowedValues ?? additionalProperty ?? unevaluatedProperty ?? allowedValue;
  const said = detail === undefined ? "" : `: ${JSON.stringify(detail)}`;
  return short(`${instancePath === "" ? "the answer" : instancePath} ${message}${said}`);
}

function short(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}
