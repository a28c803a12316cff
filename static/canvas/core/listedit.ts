// Whole nodes in a text: listeners and triggers put in, taken out with the comment that stands above them.
import { replace, type Edits } from "./edits.ts";
import { boxOf as mapBox, insertFlow } from "./mapedit.ts";
import { boxOf } from "./seqedit.ts";
import { flowText, itemText } from "./scalar.ts";
import { find, type Entry, type Section, type Source } from "./source.ts";
import { columnOf, indentOf, insertLines, isBlank, isComment, lineEnd, lineStart } from "./splice.ts";
import type { YSeq } from "./tree.ts";

export type SectionName = "listeners" | "triggers";
type Fields = Record<string, unknown>;
/** A node to be written: its values or, when it was text before, its lines with the dash in the first column. */
export interface Fresh { fields: Fields; raw?: string }

/** Why nothing can be added here, or "". */
export function closed(section: Section, name: SectionName): string {
  const node = section.node?.at;
  if (!node || node.t === "seq" || (node.t === "scalar" && node.value === null)) return "";
  if (node.t === "map" && name === "listeners") return "The listeners of this flow stand in files of their own; they are edited there.";
  return `'${name}' is not a list.`;
}

export function addEntries(edits: Edits, source: Source, name: SectionName, items: readonly Fresh[], after?: Entry): void {
  const section = source[name];
  if (section.entries.length === 0) return first(edits, source, name, items);
  const seq = section.node?.at.t === "seq" ? section.node.at : null;
  if (seq?.flow) return inFlow(edits, section, seq, items);
  const before = after?.section === name ? after : section.entries.at(-1)!;
  const column = dashColumn(edits.text, before);
  const at = endOf(edits.text, before, column);
  const spaced = isSpaced(edits.text, section.entries);
  const isFlow = mostly(section.entries, (entry) => isInline(edits.text, entry));
  const lines = items.map((item) => entryText(item, column, isFlow)).join(spaced ? "\n" : "");
  edits.out.push(insertLines(edits.text, at, (spaced ? "\n" : "") + lines));
}

function dashColumn(text: string, entry: Entry): number {
  return columnOf(text, entry.base + entry.item.start);
}

function isInline(text: string, { base, item, map }: Entry): boolean {
  return Boolean(map?.flow) && !text.slice(base + item.start, base + item.end).includes("\n");
}

function mostly(entries: readonly Entry[], is: (entry: Entry) => boolean): boolean {
  return entries.filter(is).length * 2 > entries.length;
}

/** As most of its neighbours are written: `- {…}` on one line, or a line for each key. */
function entryText({ fields: item, raw }: Fresh, column: number, flow: boolean): string {
  if (raw !== undefined) return shifted(raw, column);
  const pad = " ".repeat(column);
  const short = flowText(item);
  if (flow && short.length < 200) return `${pad}- ${short}\n`;
  return `${pad}-${lines(item, column)}\n`;
}

function lines(item: Fields, column: number): string {
  const { name, ...rest } = item;
  return Object.keys(rest).length ? itemText({ name, ...rest }, column) : ` name: ${String(name)}`;
}

/** Lines moved to the right. */
function shifted(raw: string, column: number): string {
  const pad = " ".repeat(column);
  return raw.replace(/^(?=.*\S)/gm, pad);
}

function inFlow(edits: Edits, section: Section, seq: YSeq, items: readonly Fresh[]): void {
  const { base } = section.node!;
  const json = edits.text[base + seq.items[0]!.start + 1] === '"' || /^\{\s*"/.test(edits.text.slice(base + seq.items[0]!.start, base + seq.items[0]!.end));
  insertFlow(edits, boxOf(base, seq), items.map((item) => flowText(item.fields, json)).join(", "));
}

/** Blank lines between the nodes, as most of them are apart. */
function isSpaced(text: string, entries: readonly Entry[]): boolean {
  if (entries.length < 2) return false;
  const pairs = entries.slice(1).slice(-9);
  return mostly(pairs, (entry) => isBlank(lineBefore(text, commentStart(text, entry))));
}

function lineBefore(text: string, at: number): string {
  return at === 0 ? "x" : text.slice(lineStart(text, at - 1), at);
}

/** After its last value and the deeper comments below it. */
export function endOf(text: string, entry: Entry, column: number): number {
  let end = lineEnd(text, entry.base + entry.item.end);
  let at = end;
  while (at < text.length) {
    const next = lineEnd(text, at);
    const line = text.slice(at, next);
    if (isComment(line) && indentOf(line) > column) end = next;
    else if (!isBlank(line)) break;
    at = next;
  }
  return end;
}

/** Where the comment block directly above begins, else the line of the dash. */
export function commentStart(text: string, entry: Entry): number {
  let at = lineStart(text, entry.base + entry.item.start);
  while (at > 0) {
    const before = lineStart(text, at - 1);
    const line = text.slice(before, at);
    if (!isComment(line) || indentOf(line) > columnOf(text, entry.base + entry.item.start)) break;
    at = before;
  }
  return at;
}

/** The very first node of a section: the section may be absent, empty, or `[]`. */
function first(edits: Edits, source: Source, name: SectionName, items: readonly Fresh[]): void {
  const { pair, node } = source[name];
  const root = source.root[0]?.at;
  if (!pair && root?.flow) return insertFlow(edits, mapBox(source.root[0]!.base, root), `${root.pairs[0]?.keyStart !== undefined && edits.text[root.pairs[0].keyStart] === '"' ? `"${name}"` : name}: ${flowText(items.map((item) => item.fields), isJsonRoot(edits.text, source))}`);
  if (root?.flow) return replace(edits, pair!.base + pair!.at.colon, pair!.base + pair!.at.end, " " + flowText(items.map((item) => item.fields), isJsonRoot(edits.text, source)));
  const column = pair && !root?.flow ? columnOf(edits.text, pair.base + pair.at.keyStart) + 2 : 2;
  const body = items.map(({ fields, raw }) => (raw === undefined ? `${" ".repeat(column)}-${lines(fields, column)}\n` : shifted(raw, column))).join(isRoomy(edits.text) ? "\n" : "");
  if (!pair) return newSection(edits, source, name, body);
  const start = pair.base + pair.at.colon;
  if (node) replace(edits, start, node.base + node.at.end, "");
  edits.out.push(insertLines(edits.text, lineEnd(edits.text, node ? node.base + node.at.end : start), body));
}

function isJsonRoot(text: string, source: Source): boolean {
  const { base, at } = source.root[0]!;
  return at.pairs.length > 0 && text[base + at.pairs[0]!.keyStart] === '"';
}

function isRoomy(text: string): boolean {
  return /\n\r?\n/.test(text);
}

/** `triggers` stands above `listeners`; `listeners` at the end. */
function newSection(edits: Edits, source: Source, name: SectionName, body: string): void {
  const { text } = edits;
  const listeners = name === "triggers" ? find(source.root, "listeners") : null;
  if (listeners) {
    let at = lineStart(text, listeners.base + listeners.at.keyStart);
    while (at > 0 && isComment(text.slice(lineStart(text, at - 1), at))) at = lineStart(text, at - 1);
    edits.out.push(insertLines(text, at, `${name}:\n${body}${isRoomy(text) ? "\n" : ""}`));
    return;
  }
  const gap = isRoomy(text) && text.trim() && !/\n\s*\n$/.test(text) ? "\n" : "";
  edits.out.push(insertLines(text, text.length, `${gap}${name}:\n${body}`));
}

/** Several at once; the last ones leave `[]` behind. */
export function removeEntries(edits: Edits, section: Section, gone: readonly Entry[]): void {
  if (!gone.length) return;
  const seq = section.node?.at;
  if (seq?.t === "seq" && seq.flow) {
    for (const entry of gone) edits.cut(seq, boxOf(section.node!.base, seq), seq.items.indexOf(entry.item));
    return;
  }
  for (const run of runsOf(section.entries, gone)) cut(edits, run, run[0] === section.entries[0]);
  if (gone.length === section.entries.length && section.pair) replace(edits, section.pair.base + section.pair.at.colon, section.pair.base + section.pair.at.colon, " []");
}

/** Neighbours go together, so that blank lines between them are counted once. */
function runsOf(entries: readonly Entry[], gone: readonly Entry[]): Entry[][] {
  const set = new Set(gone);
  const runs: Entry[][] = [];
  entries.forEach((entry, index) => {
    if (!set.has(entry)) return;
    if (index > 0 && set.has(entries[index - 1]!)) runs.at(-1)!.push(entry);
    else runs.push([entry]);
  });
  return runs;
}

function cut(edits: Edits, run: readonly Entry[], isFirst: boolean): void {
  const { text } = edits;
  const start = commentStart(text, run[0]!);
  let end = endOf(text, run.at(-1)!, dashColumn(text, run.at(-1)!));
  const blankBefore = isBlank(lineBefore(text, start));
  const after = text.slice(end, lineEnd(text, end));
  if (end < text.length && isBlank(after) && (blankBefore || isFirst)) end += after.length;
  const from = end >= text.length && blankBefore && start > 0 ? lineStart(text, start - 1) : start;
  replace(edits, from, end, "");
}
