/**
 * About how many bytes of memory a value has that the structured clone algorithm made. Blobs count
 * nothing: their bytes are elsewhere until they are asked for.
 */
export function sizeOf(value: unknown): number {
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  let size = 0;
  while (waiting.length > 0) {
    const one = waiting.pop();
    size += 8;
    if (typeof one === "string") size += one.length;
    if (typeof one !== "object" || one === null || seen.has(one)) continue;
    seen.add(one);
    if (one instanceof ArrayBuffer) size += one.byteLength;
    else if (ArrayBuffer.isView(one)) waiting.push(one.buffer);
    else if (one instanceof Map) for (const pair of one) waiting.push(pair[0], pair[1]);
    else if (one instanceof Set) for (const each of one) waiting.push(each);
    else for (const each of Object.values(one)) waiting.push(each);
  }
  return size;
}
