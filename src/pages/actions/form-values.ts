import type { FormField } from "./action.ts";

type FormValues = Readonly<Partial<Record<FormField, string>>>;

/** Puts names and expiry dates together, or takes them apart, where the page asks for them that way. */
export function fitValues(given: FormValues, asked: ReadonlySet<FormField>): FormValues {
  const values: Partial<Record<FormField, string>> = { ...given };
  const replace = (from: readonly FormField[], parts: FormValues): void => {
    for (const field of from) delete values[field];
    Object.assign(values, parts);
  };
  const { first_name: first, middle_name: middle, last_name: last, full_name: full } = given;
  if (full === undefined && asked.has("full_name") && !asked.has("last_name")) {
    const parts = [first, middle, last].filter((part) => part !== undefined);
    if (parts.length > 0) {
      replace(["first_name", "middle_name", "last_name"], { full_name: parts.join(" ") });
    }
  }
  if (full !== undefined && !asked.has("full_name") && asked.has("last_name")) {
    const [, firsts = full, lastName = ""] = /^(.*)\s+(\S+)$/.exec(full.trim()) ?? [];
    replace(["full_name"], { first_name: first ?? firsts, last_name: last ?? lastName });
  }
  const { cc_exp_month: month, cc_exp_year: year, cc_exp: expiry } = given;
  if (expiry === undefined && asked.has("cc_exp") && month !== undefined && year !== undefined) {
    replace(["cc_exp_month", "cc_exp_year"], {
      cc_exp: `${month.padStart(2, "0")}/${year.slice(-2)}`,
    });
  }
  const parts = /^(\d{1,2})\s*[/-]\s*(\d{2}|\d{4})$/.exec(expiry?.trim() ?? "");
  if (parts !== null && !asked.has("cc_exp") && asked.has("cc_exp_month")) {
    const [, expMonth = "", expYear = ""] = parts;
    replace(["cc_exp"], { cc_exp_month: expMonth, cc_exp_year: expYear });
  }
  return values;
}

/** Other ways to write a value, for choices that list it so. */
export function otherWays(field: FormField, value: string): readonly string[] {
  if (field !== "cc_exp_year" || !/^\d+$/.test(value)) return [];
  return value.length === 2 ? [`20${value}`] : [value.slice(-2)];
}
