// Another name for a node: wherever it is named, and nowhere else.
import { Edits } from "./edits.ts";
import { setScalar } from "./mapedit.ts";
import { nameProblem } from "./names.ts";
import { entryOf, finished, Refusal } from "./outcome.ts";
import { quoted } from "./scalar.ts";
import { entriesById, read, type Entry, type Source } from "./source.ts";
import { pairOf, valueOf, type YNode, type YScalar } from "./tree.ts";
import { mentionsTo } from "./wires.ts";
import { stepsRenamed } from "./steps.ts";
import type { Applied } from "./types.ts";

const BARE = new Set(["if", "over", "while", "expr"]);

export function rename(text: string, id: string, to: string): Applied {
  const source = read(text);
  const entry = entryOf(source, id);
  if (entry.name === to) return finished(source, null);
  const others = [...entriesById(source).values()].filter((one) => one !== entry).map((one) => one.name);
  const wrong = nameProblem(to, others);
  if (wrong) throw new Refusal(wrong);
  const edits = new Edits(text);
  const name = pairOf(entry.map!, "name")!;
  setScalar(edits, entry.base, name.value as YScalar, to, entry.map!.flow);
  if (entry.section === "listeners") everywhere(edits, source, entry.name, to);
  const before = [...entriesById(source)].find(([, one]) => one === entry)![0];
  return finished(source, edits, { renamed: { [before]: to } });
}

function everywhere(edits: Edits, source: Source, from: string, to: string): void {
  for (const [entry, mentions] of mentionsTo(source, new Set([from.toLowerCase()]))) {
    for (const { scalar, list, key } of mentions) setScalar(edits, entry.base, scalar, to, list?.seq.flow ?? key?.map.flow ?? false);
  }
  for (const entry of source.listeners.entries) {
    const options = entry.map && valueOf(entry.map, "with");
    if (options) expressions(edits, entry, options, { from, to, bare: false, flow: options.t === "map" && options.flow });
  }
}

interface Change { from: string; to: string; bare: boolean; flow: boolean }

function expressions(edits: Edits, entry: Entry, node: YNode, change: Change): void {
  if (node.t === "map") {
    for (const { key, value } of node.pairs) if (value) expressions(edits, entry, value, { ...change, bare: BARE.has(key), flow: node.flow });
  } else if (node.t === "seq") {
    for (const { node: item } of node.items) if (item) expressions(edits, entry, item, { ...change, flow: node.flow });
  } else if (node.t === "scalar" && typeof node.value === "string" && node.value.includes("steps")) {
    scalar(edits, entry, node, change);
  }
}

/** In the scalar's own text, so that its folding, quoting and comments stay. */
function scalar(edits: Edits, { base }: Entry, node: YScalar, { from, to, bare, flow }: Change): void {
  const start = base + node.start;
  const written = edits.text.slice(start, base + node.end);
  const changed = inside(written, node, (text) => stepsRenamed(text, { from, to, bare, quote: node.style === "double" ? "'" : '"' }));
  if (changed === written) return;
  const clash = flow && node.style === "plain" && /[[\]{},]/.test(changed);
  const text = clash ? quoted(stepsRenamed(String(node.value), { from, to, bare, quote: "'" })) : changed;
  edits.out.push({ start, end: base + node.end, text });
}

/** What stands between the quotes, with the quotes of the expression as they are meant. */
function inside(written: string, { style }: YScalar, change: (text: string) => string): string {
  if (style !== "single" && style !== "double") return change(written);
  const mark = style === "single" ? "'" : '"';
  const [open, close] = [written.indexOf(mark) + 1, written.length - 1];
  const [escaped, meant] = style === "single" ? [/''/g, "'"] : [/\\"/g, '"'];
  const changed = change(written.slice(open, close).replace(escaped, meant));
  return written.slice(0, open) + changed.replaceAll(mark, style === "single" ? "''" : '\\"') + written.slice(close);
}
