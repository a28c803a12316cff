// Changes of mappings in a text: one key set, added or removed; the rest stays as it is.
import { blockText, flowText, isMap, scalarText, stringText } from "./scalar.ts";
import { replace, type Edits, type FlowBox } from "./edits.ts";
import { assignSeq } from "./seqedit.ts";
import { columnOf, insertLines, isComment, lineEnd, lineStart } from "./splice.ts";
import { pairOf, real, type YMap, type YNode, type YPair } from "./tree.ts";


/** Whether strings are quoted around here, as in JSON. */
export function isJson(text: string, base: number, node: YNode): boolean {
  if (node.t === "map") return node.flow && node.pairs.length > 0 && text[base + node.pairs[0]!.keyStart] === '"';
  return node.t === "seq" && node.flow && node.items[0]?.node?.t === "scalar" && node.items[0].node.style === "double";
}

export function setKey(edits: Edits, base: number, map: YMap, key: string, value: unknown): void {
  const pair = pairOf(map, key);
  if (value === undefined) {
    if (pair) removeKey(edits, base, map, pair);
  } else if (pair) {
    setValue(edits, base, map, pair, value);
  } else {
    addKey(edits, base, map, key, value);
  }
}

export function setValue(edits: Edits, base: number, map: YMap, pair: YPair, value: unknown): void {
  const node = pair.value;
  const before = real(node);
  if (node && before === node && before.t === "map" && isMap(value) && shares(before, value)) return assignMap(edits, base, before, value);
  if (node && before === node && before.t === "seq" && Array.isArray(value) && before.items.length && value.length) return assignSeq(edits, base, before, value);
  if (node?.t === "scalar" && node.style !== "block" && isLine(value)) return setScalar(edits, base, node, value, map.flow);
  const column = columnOf(edits.text, base + pair.keyStart);
  const text = map.flow ? " " + flowText(value, isJson(edits.text, base, map)) : blockText(value, column);
  if (!node) return replace(edits, base + pair.colon, base + pair.colon, text);
  replace(edits, base + pair.colon, base + node.end, text);
}

function isLine(value: unknown): boolean {
  return !isMap(value) && !Array.isArray(value) && !(typeof value === "string" && value.includes("\n"));
}

/** Keeps the way it was quoted; anchors and tags before it go with what they stood at. */
export function setScalar(edits: Edits, base: number, node: Extract<YNode, { t: "scalar" }>, value: unknown, inFlow: boolean): void {
  if (Object.is(node.value, value)) return;
  const style = typeof value === "string" ? node.style : "plain";
  const props = /^(?:[&!][^\s,[\]{}]*\s+)+/.exec(edits.text.slice(base + node.start, base + node.end))?.[0] ?? "";
  const kept = props.includes("!") ? "" : props;
  replace(edits, base + node.start, base + node.end, kept + scalarText(value, inFlow, style === "block" ? "plain" : style));
}

function assignMap(edits: Edits, base: number, map: YMap, value: Record<string, unknown>): void {
  for (const [key, one] of Object.entries(value)) setKey(edits, base, map, key, one);
  const kept = new Set(Object.keys(value));
  const gone = map.pairs.filter((pair) => !kept.has(pair.key) && ![...kept].some((key) => pairOf(map, key) === pair));
  for (const pair of gone) removeKey(edits, base, map, pair);
}

/** Something of it stays; otherwise it is written anew. */
export function shares(map: YMap, value: Record<string, unknown>): boolean {
  return map.pairs.some((pair) => pair.key in value && value[pair.key] !== undefined);
}

export function addKey(edits: Edits, base: number, map: YMap, key: string, value: unknown): void {
  const { text } = edits;
  if (map.flow) return addFlowKey(edits, base, map, key, value);
  const column = columnOf(text, base + map.pairs[0]!.keyStart);
  const at = lineEnd(text, base + map.pairs.at(-1)!.end);
  edits.out.push(insertLines(text, at, `${" ".repeat(column)}${stringText(key)}:${blockText(value, column)}\n`));
}

function addFlowKey(edits: Edits, base: number, map: YMap, key: string, value: unknown): void {
  const json = isJson(edits.text, base, map);
  const pair = `${stringText(key, true, json ? "double" : "plain")}: ${flowText(value, json)}`;
  insertFlow(edits, boxOf(base, map), pair);
}

export function boxOf(base: number, map: YMap): FlowBox {
  return { open: base + map.start, close: base + map.end - 1, starts: map.pairs.map((one) => base + one.keyStart), ends: map.pairs.map((one) => base + one.end) };
}

/** One more at the end between braces or brackets, on a line of its own when the others are. */
export function insertFlow(edits: Edits, { close, starts, ends }: FlowBox, one: string): void {
  const { text } = edits;
  const end = ends.at(-1);
  if (end === undefined) return replace(edits, close, close, one);
  const comma = commaAfter(text, end, close);
  const start = starts.at(-1)!;
  const own = text.slice(lineStart(text, start), start).trim() === "" && lineStart(text, start) > 0;
  const lead = own ? "\n" + text.slice(lineStart(text, start), start) : " ";
  if (comma >= 0) replace(edits, comma + 1, comma + 1, lead + one);
  else replace(edits, end, end, "," + lead + one);
}

function commaAfter(text: string, from: number, close: number): number {
  for (let at = from; at < close; at += 1) {
    if (text[at] === ",") return at;
    if (text[at] === "#") at = lineEnd(text, at) - 1;
  }
  return -1;
}

export function removeKey(edits: Edits, base: number, map: YMap, pair: YPair): void {
  const { text } = edits;
  const index = map.pairs.indexOf(pair);
  if (map.flow) return edits.cut(map, boxOf(base, map), index);
  const start = base + pair.keyStart;
  const from = lineStart(text, start);
  const next = map.pairs[index + 1];
  if (text.slice(from, start).trim() === "") {
    replace(edits, from, pastComments(text, lineEnd(text, base + pair.end), columnOf(text, start)), "");
  } else if (next) {
    replace(edits, start, base + next.keyStart, "");
  } else {
    replace(edits, start, base + pair.end, "{}");
  }
}

/** Comments that are indented deeper belong to what was above them. */
export function pastComments(text: string, at: number, column: number): number {
  let end = at;
  while (end < text.length) {
    const next = lineEnd(text, end);
    const line = text.slice(end, next);
    if (!isComment(line) || line.length - line.trimStart().length <= column) return end;
    end = next;
  }
  return end;
}
