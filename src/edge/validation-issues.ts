import type { FieldIssue } from "../sessions/errors.ts";

/** One mistake as the schema validator reports it. */
interface SchemaIssue {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string | undefined;
  readonly params?: { readonly issue?: unknown } | undefined;
}

/** What our schemas found wrong, each with the field's name and what it takes. */
export function fieldIssues(
  validation: readonly SchemaIssue[],
  context: string,
  input: unknown,
): readonly FieldIssue[] {
  const place = context === "querystring" ? "query" : context;
  return validation.flatMap((issue): FieldIssue[] => {
    const path = issue.instancePath.split("/").filter((part) => part !== "");
    const unknown = unknownKeys(issue.params);
    if (unknown.length > 0) {
      return unknown.map((key) => ({
        location: [place, ...path, key],
        message: `Unknown field \`${[...path, key].join(".")}\`: leave it out.`,
        kind: "extra_forbidden",
      }));
    }
    const field = path.length === 0 ? `The ${place}` : path.join(".");
    return [
      {
        location: [place, ...path],
        message: `${field}: ${lowerFirst(issue.message ?? "is not valid")}${given(input, path)}.`,
        kind: issue.keyword,
      },
    ];
  });
}

/** The value that was given, where it is short and plain. */
function given(input: unknown, path: readonly string[]): string {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return "";
    value = Object.entries(value).find(([name]) => name === key)?.[1];
  }
  const plain = ["string", "number", "boolean"].includes(typeof value) || value === null;
  const text = plain ? JSON.stringify(value) : "";
  return text === "" || text.length > 100 ? "" : ` (got ${text})`;
}

function unknownKeys(params: SchemaIssue["params"]): readonly string[] {
  if (params === undefined || !("keys" in params) || !Array.isArray(params.keys)) return [];
  return params.keys.map(String);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
