// What a function gets and gives: texts of JSON, read and written by json.ts and writer.ts beside this one.
import { Json, NOTHING, skipSpace, skipValue } from "./json";
import { Writer } from "./writer";

export { Json, NOTHING } from "./json";
export { Writer } from "./writer";

/** A text of JSON as a value to read from. */
export function parse(text: string): Json {
  const length = <usize>String.UTF8.byteLength(text);
  const at = heap.alloc(length);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  const from = skipSpace(at, at + length);
  return new Json(from, skipValue(from, at + length));
}

/** What a caller sent, or the node before this one answered: the `body` of the request. */
export function payload(request: string): Json {
  return parse(request).get("body");
}

/** A number with a fraction; `otherwise` when there is none. */
export function float(value: Json, otherwise: f64 = 0): f64 {
  return value.exists && !value.isString ? parseFloat(value.text()) : otherwise;
}

/** A number with a fraction as JSON, for `json(name, …)` and `item(…)` of a Writer. */
export function decimal(value: f64): Json {
  return isFinite(value) ? parse(value.toString()) : NOTHING;
}

/** What was written, to be returned. */
export function text(writer: Writer): string {
  return String.UTF8.decodeUnsafe(writer.pointer, writer.length);
}
