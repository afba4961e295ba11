/** How many brackets are tried as the beginning of the JSON. */
const mostBeginnings = 20;

const thoughtsEnd = "</think>";
const fence = "```";

/**
 * The JSON object or array in a model's answer, whatever stands around it: thoughts, a fenced block,
 * a sentence before or after. The largest where there are several; `undefined` where there is none.
 */
export function jsonIn(text: string): object | undefined {
  const thoughts = text.lastIndexOf(thoughtsEnd);
  const answer = thoughts === -1 ? text : text.slice(thoughts + thoughtsEnd.length);
  return parsed(answer) ?? parsed(fenced(answer)) ?? largestIn(answer);
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the first fenced block holds, without the name of its language; empty where there is none. */
function fenced(text: string): string {
  const begin = text.indexOf(fence);
  const lineEnd = text.indexOf("\n", begin);
  if (begin === -1 || lineEnd === -1) return "";
  const end = text.indexOf(`\n${fence}`, lineEnd);
  return end === -1 ? "" : text.slice(lineEnd, end);
}

function largestIn(text: string): object | undefined {
  let largest: object | undefined;
  let largestLength = 0;
  let from = 0;
  for (let tried = 0; tried < mostBeginnings; tried += 1) {
    const offset = text.slice(from).search(/[[{]/);
    if (offset === -1) break;
    const begin = from + offset;
    const end = endOfBrackets(text, begin);
    const value = end === -1 ? undefined : parsed(text.slice(begin, end));
    if (value !== undefined && end - begin > largestLength) {
      largest = value;
      largestLength = end - begin;
    }
    from = value === undefined ? begin + 1 : end;
  }
  return largest;
}

/** Where the bracket that opens at `begin` has closed, minding strings; -1 where it never does. */
function endOfBrackets(text: string, begin: number): number {
  let depth = 0;
  let inString = false;
  for (let index = begin; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return -1;
}
