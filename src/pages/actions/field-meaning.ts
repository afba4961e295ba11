import type { PageElement } from "../observe/observation.ts";
import type { FormField } from "./action.ts";

/** Autofill's names (https://html.spec.whatwg.org/#autofill) in the contract's words. */
const autofill: Readonly<Record<string, FormField>> = {
  "honorific-prefix": "title",
  "given-name": "first_name",
  "additional-name": "middle_name",
  "family-name": "last_name",
  name: "full_name",
  email: "email",
  organization: "company",
  "street-address": "address1",
  "address-line1": "address1",
  "address-line2": "address2",
  "address-line3": "address3",
  "address-level2": "city",
  "address-level1": "state",
  "postal-code": "postal_code",
  country: "country",
  "country-name": "country",
  tel: "phone",
  "tel-national": "phone",
  "cc-name": "cc_name",
  "cc-number": "cc_number",
  "cc-exp-month": "cc_exp_month",
  "cc-exp-year": "cc_exp_year",
  "cc-exp": "cc_exp",
  "cc-csc": "cc_cvv",
  username: "username",
  "current-password": "current_password",
  "new-password": "new_password",
  "one-time-code": "totp",
};

/** What people and frameworks call fields, the most telling names first. */
const words: readonly (readonly [RegExp, FormField])[] = [
  [/one.?time|otp|2fa|mfa|authenticat|verification.?code/, "totp"],
  [/cvv|cvc|csc|security.?code|card.?code/, "cc_cvv"],
  [/(?:card|cc).?num|card.?no|credit.?card$|^card$/, "cc_number"],
  [/name.?on.?card|card.?holder|cc.?name/, "cc_name"],
  [/exp\w*.?month|cc.?month/, "cc_exp_month"],
  [/exp\w*.?year|cc.?year/, "cc_exp_year"],
  [/expir|exp.?date|cc.?exp|mm\s?\/\s?yy/, "cc_exp"],
  [/new.?pass|confirm.?pass|pass\w*.?(?:confirm|again|repeat|2)|repeat.?pass/, "new_password"],
  [/e.?mail/, "email"],
  [/user.?(?:name|id)|login|account.?name/, "username"],
  [/first.?name|given.?name|fname|forename/, "first_name"],
  [/middle.?name|mname/, "middle_name"],
  [/last.?name|family.?name|sur.?name|lname/, "last_name"],
  [/full.?name|your.?name|^name\b/, "full_name"],
  [/salutation|honorific|^title$/, "title"],
  [/company|organi[sz]ation|employer/, "company"],
  [/address.?(?:line.?)?3/, "address3"],
  [/address.?(?:line.?)?2|apartment|suite|^apt/, "address2"],
  [/address|street/, "address1"],
  [/post.?code|postal|\bzip/, "postal_code"],
  [/city|town|locality/, "city"],
  [/state|province|region|county/, "state"],
  [/country/, "country"],
  [/phone|mobile|\btel\b|cell/, "phone"],
];

/** What a field of a form is for, as far as its page tells; null where it does not. */
export function meaningOf(element: PageElement): FormField | null {
  const { attributes, inputType, name } = element;
  const named: Readonly<Partial<Record<string, string>>> = attributes;
  const token = (named["autocomplete"] ?? "").trim().toLowerCase().split(/\s+/).at(-1) ?? "";
  const known = autofill[token];
  if (known !== undefined) return known;
  const meanings = [name, named["placeholder"], named["name"], named["id"]]
    .filter((text) => text !== undefined && text !== "")
    .map((text) => words.find(([pattern]) => pattern.test(text?.toLowerCase() ?? ""))?.[1])
    .filter((meaning) => meaning !== undefined);
  if (inputType === "password") {
    const secret = meanings.find((meaning) => /new_password|cc_cvv|totp/.test(meaning));
    return secret ?? "current_password";
  }
  const [first] = meanings;
  if (first !== undefined) return first;
  if (inputType === "email") return "email";
  return inputType === "tel" ? "phone" : null;
}
