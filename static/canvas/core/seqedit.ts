// Changes of lists in a text: an item added, replaced or removed; the rest stays as it is.
import { replace, type Edits, type FlowBox } from "./edits.ts";
import { insertFlow, isJson, pastComments, setScalar, setKey, shares } from "./mapedit.ts";
import { flowText, isMap, itemText } from "./scalar.ts";
import { columnOf, insertLines, lineEnd, lineStart } from "./splice.ts";
import { pairOf, type YItem, type YMap, type YSeq } from "./tree.ts";

export function boxOf(base: number, seq: YSeq): FlowBox {
  return { open: base + seq.start, close: base + seq.end - 1, starts: seq.items.map((item) => base + item.start), ends: seq.items.map((item) => base + item.end) };
}

export function addItem(edits: Edits, base: number, seq: YSeq, value: unknown): void {
  if (seq.flow) return insertFlow(edits, boxOf(base, seq), flowText(value, isJson(edits.text, base, seq)));
  const column = columnOf(edits.text, base + seq.items[0]!.start);
  const at = lineEnd(edits.text, base + seq.items.at(-1)!.end);
  edits.out.push(insertLines(edits.text, at, `${" ".repeat(column)}-${itemText(value, column)}\n`));
}

/** False when it was the only one: the list as a whole is then the caller's to remove. */
export function removeItem(edits: Edits, base: number, seq: YSeq, item: YItem): boolean {
  if (seq.items.length === 1) return false;
  removeItems(edits, base, seq, [item]);
  return true;
}

export function removeItems(edits: Edits, base: number, seq: YSeq, items: readonly YItem[]): void {
  const { text } = edits;
  for (const item of seq.flow ? [] : items) {
    const start = base + item.start;
    const from = lineStart(text, start);
    if (text.slice(from, start).trim() === "") replace(edits, from, pastComments(text, lineEnd(text, base + item.end), start - from), "");
    else firstOnLine(edits, base, seq, item);
  }
  for (const item of seq.flow ? items : []) edits.cut(seq, boxOf(base, seq), seq.items.indexOf(item));
}

/** A list that begins on the line of what it is in: `- - a`. */
function firstOnLine(edits: Edits, base: number, seq: YSeq, item: YItem): void {
  const next = seq.items[seq.items.indexOf(item) + 1];
  replace(edits, base + item.start, next ? base + next.start : base + item.end, "");
}

export function assignSeq(edits: Edits, base: number, seq: YSeq, value: readonly unknown[]): void {
  const shared = Math.min(seq.items.length, value.length);
  for (let index = 0; index < shared; index += 1) assignItem(edits, base, seq, seq.items[index]!, value[index]);
  if (value.length < seq.items.length) removeItems(edits, base, seq, seq.items.slice(value.length));
  if (value.length > seq.items.length) addItems(edits, base, seq, value.slice(shared));
}

function addItems(edits: Edits, base: number, seq: YSeq, values: readonly unknown[]): void {
  if (!seq.flow) return values.forEach((value) => addItem(edits, base, seq, value));
  const json = isJson(edits.text, base, seq);
  insertFlow(edits, boxOf(base, seq), values.map((value) => flowText(value, json)).join(", "));
}

export function assignItem(edits: Edits, base: number, seq: YSeq, item: YItem, value: unknown): void {
  const node = item.node;
  if (node?.t === "map" && isMap(value) && shares(node, value)) return mergeItem(edits, base, node, value);
  if (node?.t === "seq" && Array.isArray(value) && node.items.length && value.length) return assignSeq(edits, base, node, value);
  const isText = !isMap(value) && !Array.isArray(value) && !String(value).includes("\n");
  if (node?.t === "scalar" && node.style !== "block" && isText) return setScalar(edits, base, node, value, seq.flow);
  if (seq.flow) return replace(edits, base + item.start, base + item.end, flowText(value, isJson(edits.text, base, seq)));
  const column = columnOf(edits.text, base + item.start);
  replace(edits, base + item.start + 1, base + item.end, itemText(value, column));
}

function mergeItem(edits: Edits, base: number, map: YMap, value: Record<string, unknown>): void {
  for (const [key, one] of Object.entries(value)) setKey(edits, base, map, key, one);
  for (const pair of map.pairs) if (!Object.keys(value).some((key) => pairOf(map, key) === pair)) setKey(edits, base, map, pair.key, undefined);
}

