import type { Protocol } from "devtools-protocol";

type RemoteObject = Protocol.Runtime.RemoteObject;

/** Arguments of a console call that are shown, at most. */
const mostArguments = 50;

/**
 * The arguments of a console call as one text, as DevTools shows them: `%s` and its kin are filled
 * in, styles are left out. Objects are shown by the preview that came with them; nothing is asked of
 * the page.
 */
export function textOfArguments(args: readonly RemoteObject[]): string {
  const [first, ...others] = args.slice(0, mostArguments);
  if (first === undefined) return "";
  if (first.type !== "string" || !/%[sdifoOc]/.test(String(first.value))) {
    return [first, ...others].map(textOf).join(" ");
  }
  const rest = [...others];
  const filled = String(first.value).replace(/%([sdifoOc%])/g, (whole, kind: string) => {
    if (kind === "%") return "%";
    const next = rest.shift();
    if (next === undefined) return whole;
    return kind === "c" ? "" : textOf(next);
  });
  return [filled, ...rest.map(textOf)].join(" ");
}

function textOf(object: RemoteObject): string {
  if (object.type === "string") return String(object.value);
  if (object.unserializableValue !== undefined) return object.unserializableValue;
  if (object.type === "undefined") return "undefined";
  if (object.subtype === "error") return object.description ?? "Error";
  if (object.preview !== undefined) return textOfPreview(object.preview);
  if ("value" in object && object.value !== undefined) return JSON.stringify(object.value);
  return object.description ?? object.type;
}

function textOfPreview(preview: Protocol.Runtime.ObjectPreview): string {
  const isList = preview.subtype === "array";
  const entries = preview.entries?.map(({ key, value }) => {
    const shown = textOfPreview(value);
    return key === undefined ? shown : `${textOfPreview(key)} => ${shown}`;
  });
  const properties = preview.properties
    .filter(({ name }) => !(isList && name === "length"))
    .map(({ name, type, value = type, valuePreview }) => {
      const shown = valuePreview === undefined ? value : textOfPreview(valuePreview);
      const quoted = type === "string" ? JSON.stringify(shown) : shown;
      return isList && /^\d+$/.test(name) ? quoted : `${name}: ${quoted}`;
    });
  const inside = [...(entries ?? properties), ...(preview.overflow ? ["…"] : [])].join(", ");
  if (isList) return `[${inside}]`;
  const { description = "Object" } = preview;
  if (inside === "" && description !== "Object") return description;
  return description === "Object" ? `{${inside}}` : `${description} {${inside}}`;
}
