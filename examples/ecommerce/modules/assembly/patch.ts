// An object of JSON with some members changed, the others copied byte for byte.

import { Json, QUOTE, byte, skipSpace, skipString, skipValue } from "./json";
import { Writer } from "./writer";

/** Does the object have a member whose name is these bytes? */
function hasMember(object: Json, name: usize, length: usize): bool {
  const end = object.end;
  let at = skipSpace(object.at + 1, end);
  while (at < end && byte(at) == QUOTE) {
    const after = skipString(at, end);
    if (after - at == length && memory.compare(at, name, length) == 0) return true;
    at = skipSpace(skipValue(skipSpace(skipSpace(after, end) + 1, end), end), end);
    if (at < end && byte(at) == 0x2c) at = skipSpace(at + 1, end);
  }
  return false;
}

/** The object with the members of the patch put in or replaced; they stand in front. */
export function changed(object: Json, patch: Writer): Json {
  const news = patch.done();
  const result = new Writer(object.end - object.at + patch.length + 64).begin();
  if (patch.length > 2) result.item(new Json(news.at + 1, news.end - 1));
  const end = object.end;
  let at = skipSpace(object.at + 1, end);
  while (at < end && byte(at) == QUOTE) {
    const after = skipString(at, end);
    const stop = skipValue(skipSpace(skipSpace(after, end) + 1, end), end);
    if (!hasMember(news, at, after - at)) result.item(new Json(at, stop));
    at = skipSpace(stop, end);
    if (at < end && byte(at) == 0x2c) at = skipSpace(at + 1, end);
  }
  return result.end().done();
}
