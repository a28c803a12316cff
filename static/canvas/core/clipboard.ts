// Nodes as YAML text: taken out with the wires between them, put in under names that are free.
import { commentStart, endOf, type Fresh, type SectionName } from "./listedit.ts";
import { mentionsOf } from "./mentions.ts";
import { freshName } from "./names.ts";
import { insert, namesIn } from "./nodes.ts";
import { chain, entryOf, finished, Refusal } from "./outcome.ts";
import { looksLikePdflow } from "./pdflow.ts";
import { rename } from "./rename.ts";
import { itemText } from "./scalar.ts";
import { entriesById, read, values, type Entry, type Source } from "./source.ts";
import { columnOf, lineStart } from "./splice.ts";
import type { YNode } from "./tree.ts";
import type { Applied, Wire } from "./types.ts";
import { disconnect } from "./wires.ts";

/** A text of its own, with `triggers` and `listeners` and the wires among these nodes only. */
export function copy(text: string, ids: readonly string[]): string {
  const source = read(text);
  const chosen = new Set<Entry>();
  for (const [id, entry] of entriesById(source)) if (entry.map && ids.includes(id)) chosen.add(entry);
  const made = textOf(source, chosen);
  return made ? alone(made) : "";
}

function textOf(source: Source, chosen: ReadonlySet<Entry>): string {
  return (["triggers", "listeners"] as const).map((section) => {
    const items = source[section].entries.filter((entry) => chosen.has(entry)).map((entry) => rawOf(source.text, entry));
    return items.length ? `${section}:\n${items.map((raw) => raw.replace(/^(?=.*\S)/gm, "  ")).join("")}` : "";
  }).join("");
}

/** Without wires to nodes that are not in it. */
function alone(text: string): string {
  const source = read(text);
  const names = new Set(source.listeners.entries.map((entry) => entry.name.toLowerCase()));
  const wires: Wire[] = [];
  for (const [id, entry] of entriesById(source)) {
    for (const { port, name } of mentionsOf(entry)) if (!names.has(name.toLowerCase())) wires.push({ source: id, port, target: name });
  }
  return wires.length ? disconnect(text, wires).text : text;
}

/** Its lines with the dash in the first column, the comment above it too. */
function rawOf(text: string, entry: Entry): string {
  const start = entry.base + entry.item.start;
  const column = columnOf(text, start);
  const isBlock = text[start] === "-" && text.slice(lineStart(text, start), start).trim() === "";
  if (!isBlock || entry.item.node?.t === "alias" || hasAlias(entry.map)) return `-${itemText(values(entry), 0)}\n`;
  const raw = text.slice(commentStart(text, entry), endOf(text, entry, column)).replace(/\r\n/g, "\n");
  const moved = raw.replace(/^[ \t]+/gm, (pad) => pad.slice(Math.min(column, pad.length)));
  return moved.endsWith("\n") ? moved : `${moved}\n`;
}

function hasAlias(node: YNode | null): boolean {
  if (!node || node.t === "scalar") return false;
  if (node.t === "alias") return true;
  return node.t === "map" ? node.pairs.some((pair) => hasAlias(pair.value)) : node.items.some((item) => hasAlias(item.node));
}

export function paste(text: string, yaml: string): Applied {
  return put(text, understood(yaml));
}

export function duplicate(text: string, ids: readonly string[]): Applied {
  const source = read(text);
  const chosen = ids.map((id) => entryOf(source, id));
  const made = copy(text, ids);
  return chosen.length ? put(text, read(made), chosen.at(-1)) : finished(source, null);
}

function put(text: string, pasted: Source, after?: Entry): Applied {
  const source = read(text);
  const taken = new Set(namesIn(source).map((name) => name.toLowerCase()));
  const models: Record<string, string> = {};
  let own = pasted.text;
  for (const name of namesIn(pasted)) {
    const used = [...taken, ...namesIn(read(own)).filter((one) => one !== name)];
    const fresh = freshName(name, used);
    if (fresh !== name) own = rename(own, name, fresh).text;
    models[fresh] = name;
    taken.add(fresh.toLowerCase());
  }
  const now = read(own);
  const done = chain(text, (["triggers", "listeners"] as const).map((section) => (before: string) => putIn(read(before), section, now, after)));
  return { ...done, from: Object.fromEntries(done.created.map((id) => [id, models[id] ?? id])) };
}

function putIn(source: Source, section: SectionName, pasted: Source, after?: Entry): Applied | null {
  const entries = pasted[section].entries.filter((entry) => entry.map && entry.name);
  if (!entries.length) return null;
  const items = entries.map((entry): Fresh => ({ fields: values(entry), raw: rawOf(pasted.text, entry) }));
  const beside = after && entriesById(source).get(after.name);
  return insert(source, section, items, beside, entries.map((entry) => entry.name));
}

const EXAMPLE = "Nodes are pasted as YAML: listeners, each with a name and a handler.";

/** What was pasted as a flow, or why it is none. */
function understood(yaml: string): Source {
  const text = yaml.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  const foreign = foreigner(text);
  if (foreign) throw new Refusal(foreign, EXAMPLE);
  const source = read(text);
  if (source.faults.length) throw new Refusal(`What was pasted is not valid YAML: ${source.faults[0]!.message}.`, EXAMPLE);
  const whole = source.listeners.entries.length + source.triggers.entries.length ? source : wrapped(text, source);
  const usable = namesIn(whole).length > 0;
  if (!usable) throw new Refusal("What was pasted holds no nodes.", EXAMPLE);
  if (new Set(namesIn(whole).map((name) => name.toLowerCase())).size < namesIn(whole).length) throw new Refusal("What was pasted has two nodes with the same name.", "give each a name of its own");
  return whole;
}

function foreigner(text: string): string {
  if (looksLikePdflow(text) && /"position"\s*:/.test(text) && !/"connections"\s*:/.test(text)) return "This is a .pdflow: import it as a flow of its own.";
  if (/"nodes"\s*:/.test(text) && /"connections"\s*:/.test(text)) return "This is an n8n workflow; its nodes cannot be pasted here.";
  if (/"wires"\s*:\s*\[/.test(text) && /"type"\s*:/.test(text)) return "This is a Node-RED flow; its nodes cannot be pasted here.";
  return "";
}

/** A bare list of listeners, or a single one. */
function wrapped(text: string, source: Source): Source {
  if (source.odd === "a list") return read(`listeners:\n${text.replace(/\n*$/, "\n")}`);
  const root = source.root.length === 1 ? source.root[0]!.at : null;
  const fields = root ? root.pairs.map((pair) => pair.key) : [];
  if (!root || !fields.includes("name") || !["handler", "agent", "peers", "prompt", "with", "type"].some((key) => fields.includes(key))) return source;
  const body = text.trim().split("\n");
  const section = fields.includes("type") && !fields.includes("handler") ? "triggers" : "listeners";
  const start = text.indexOf(body[0]!);
  const column = columnOf(text, start);
  if (root.flow) return read(`${section}:\n- ${body.join("\n  ")}\n`);
  const lines = text.slice(lineStart(text, start)).split("\n").map((line) => line.slice(Math.min(column, line.length - line.trimStart().length)));
  const block = lines.map((line) => (line ? `    ${line}` : "")).join("\n");
  return read(`${section}:\n${/^ {4}[^\s#]/.test(block) ? `  - ${block.slice(4)}` : `  -\n${block}`}`);
}
