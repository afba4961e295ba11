type ViewType = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

/** The views of bytes that can be stored, by the names that they go by. */
export const viewTypes: ReadonlyMap<string, ViewType> = new Map<string, ViewType>([
  ["Int8Array", Int8Array],
  ["Uint8Array", Uint8Array],
  ["Uint8ClampedArray", Uint8ClampedArray],
  ["Int16Array", Int16Array],
  ["Uint16Array", Uint16Array],
  ["Int32Array", Int32Array],
  ["Uint32Array", Uint32Array],
  ["Float16Array", Float16Array],
  ["Float32Array", Float32Array],
  ["Float64Array", Float64Array],
  ["BigInt64Array", BigInt64Array],
  ["BigUint64Array", BigUint64Array],
  ["DataView", DataView],
]);
