// A value deep inside a node by its path; what is missing on the way is made, what becomes empty goes.
import type { Edits } from "./edits.ts";
import { removeKey, setKey, setValue } from "./mapedit.ts";
import { addItem, assignItem, removeItem } from "./seqedit.ts";
import { isMap } from "./scalar.ts";
import { pairOf, plain, type YMap, type YSeq } from "./tree.ts";

export type Path = readonly (string | number)[];

export function pathOf(path: string | Path): Path {
  return typeof path === "string" ? path.split(".") : path;
}

export function setIn(edits: Edits, base: number, map: YMap, path: Path, value: unknown): void {
  const [key, ...rest] = path;
  const pair = pairOf(map, String(key));
  if (!rest.length) return setKey(edits, base, map, String(key), value);
  const child = pair?.value;
  if (pair && child?.t === "map" && child.pairs.length) {
    const alone = value === undefined && rest.length === 1 && child.pairs.length === 1 && pairOf(child, String(rest[0]));
    return alone ? removeKey(edits, base, map, pair) : setIn(edits, base, child, rest, value);
  }
  if (pair && child?.t === "seq" && child.items.length) return setInSeq(edits, base, child, rest, value, () => removeKey(edits, base, map, pair));
  if (value === undefined && child?.t !== "alias") return;
  const nested = put(child ? plain(child) : undefined, rest, value);
  if (pair) setValue(edits, base, map, pair, nested);
  else setKey(edits, base, map, String(key), nested);
}

function setInSeq(edits: Edits, base: number, seq: YSeq, [index, ...rest]: Path, value: unknown, removeAll: () => void): void {
  const item = seq.items[Number(index)];
  if (!item) return value === undefined ? undefined : addItem(edits, base, seq, rest.length ? put(undefined, rest, value) : value);
  if (rest.length && item.node?.t === "map" && item.node.pairs.length) return setIn(edits, base, item.node, rest, value);
  if (rest.length) return assignItem(edits, base, seq, item, put(item.node ? plain(item.node) : undefined, rest, value));
  if (value !== undefined) return assignItem(edits, base, seq, item, value);
  if (!removeItem(edits, base, seq, item)) removeAll();
}

/** The value with another one at its path. */
function put(into: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const isIndex = typeof key === "number" || (/^\d+$/.test(key) && Array.isArray(into));
  if (isIndex) {
    const list = Array.isArray(into) ? [...(into as unknown[])] : [];
    list[Math.min(Number(key), list.length)] = put(list[Number(key)], rest, value);
    return list;
  }
  const map = isMap(into) ? into : {};
  return { ...map, [key]: put(map[key], rest, value) };
}
