// Nodes in the text: new ones, gone ones, changed fields.
import { Edits } from "./edits.ts";
import { kindOf } from "./kinds.ts";
import { addEntries, closed, removeEntries, type Fresh, type SectionName } from "./listedit.ts";
import { removeKey, setKey } from "./mapedit.ts";
import { baseName, freshName, nameProblem } from "./names.ts";
import { chain, entryOf, finished, Refusal } from "./outcome.ts";
import { pathOf, setIn, type Path } from "./pathedit.ts";
import { rename } from "./rename.ts";
import { isMap, pairsText } from "./scalar.ts";
import { entriesById, find, read, values, type Entry, type Source } from "./source.ts";
import { insertLines, isComment, lineEnd, lineStart } from "./splice.ts";
import { template } from "./templates.ts";
import { pairOf } from "./tree.ts";
import type { Applied, NewNode, Op } from "./types.ts";
import { connect, forget, mentionsTo, reconnect } from "./wires.ts";

export function namesIn(source: Source): string[] {
  return [...source.listeners.entries, ...source.triggers.entries].map((entry) => entry.name).filter(Boolean);
}

export function addNode(text: string, node: NewNode, after?: string, from?: { source: string; port: string }): Applied {
  if (from) return chain(text, [(now) => addNode(now, node, after ?? from.source), (now, done) => connect(now, { ...from, target: done.created[0]! })]);
  const source = read(text);
  const wish = node.name ? freshName(node.name, []) : baseName(node);
  const name = freshName(wish, namesIn(source));
  const wrong = nameProblem(name);
  if (wrong) throw new Refusal(wrong);
  const beside = after === undefined ? undefined : entriesById(source).get(after);
  return insert(source, node.kind === "trigger" ? "triggers" : "listeners", [{ fields: fieldsOf(node, name, source) }], beside, [name]);
}

export function insert(source: Source, section: SectionName, items: readonly Fresh[], after: Entry | undefined, created: string[]): Applied {
  if (source.odd) throw new Refusal(`The text is ${source.odd}, not a flow.`);
  const no = closed(source[section], section);
  if (no) throw new Refusal(no);
  const edits = new Edits(source.text);
  addEntries(edits, source, section, items, after);
  return finished(source, edits, { created });
}

function fieldsOf(node: NewNode, name: string, source: Source): Record<string, unknown> {
  const base = template(node.kind);
  if (node.handler) base.handler = node.handler;
  const more = { ...node.fields };
  if (isMap(base.with) && isMap(more.with)) more.with = { ...base.with, ...more.with };
  const first = source.listeners.entries.find((entry) => entry.name)?.name;
  const to = node.kind === "trigger" && first && more.to === undefined ? { to: first } : {};
  const found = { name, ...base, ...to, ...more };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

export function removeNodes(text: string, ids: readonly string[]): Applied {
  const source = read(text);
  const gone = new Set(ids.map((id) => entryOf(source, id)));
  const names = new Set([...gone].filter((entry) => entry.section === "listeners").map((entry) => entry.name.toLowerCase()));
  const edits = new Edits(text);
  for (const [entry, mentions] of mentionsTo(source, names)) if (!gone.has(entry)) forget(edits, entry, mentions);
  for (const section of [source.listeners, source.triggers]) removeEntries(edits, section, section.entries.filter((entry) => gone.has(entry)));
  const removed = [...entriesById(source)].filter(([, entry]) => gone.has(entry)).map(([id]) => id);
  return finished(source, edits, { removed });
}

export function setField(text: string, id: string, path: string | Path, value: unknown): Applied {
  const keys = pathOf(path);
  if (keys.length === 1 && keys[0] === "name") return rename(text, id, String(value ?? ""));
  const source = read(text);
  const entry = entryOf(source, id);
  const edits = new Edits(text);
  setIn(edits, entry.base, entry.map!, keys, value);
  return finished(source, edits);
}

export function setDisabled(text: string, ids: readonly string[], disabled: boolean): Applied {
  const source = read(text);
  const edits = new Edits(text);
  for (const entry of new Set(ids.map((id) => entryOf(source, id)))) {
    const key = entry.section === "triggers" ? "enabled" : "disabled";
    const usual = entry.section === "triggers" ? !disabled : disabled;
    const isDefault = !disabled;
    const pair = pairOf(entry.map!, key);
    if (isDefault && pair) removeKey(edits, entry.base, entry.map!, pair);
    else if (!isDefault) setKey(edits, entry.base, entry.map!, key, usual);
  }
  return finished(source, edits);
}

/** A key of the whole flow; the head stands first in a text that has none. */
export function setFlow(text: string, path: string | Path, value: unknown): Applied {
  const source = read(text);
  const [key, ...rest] = pathOf(path);
  if (source.odd) throw new Refusal(`The text is ${source.odd}, not a flow.`);
  if (key === "listeners" || key === "triggers") throw new Refusal(`Nodes are added and removed one by one.`);
  const edits = new Edits(text);
  const found = find(source.root, String(key));
  const part = found ? source.root.find(({ base, at }) => base === found.base && at.pairs.includes(found.at)) : undefined;
  if (part) setIn(edits, part.base, part.at, [String(key), ...rest], value);
  else if (value !== undefined) newKey(edits, source, String(key), rest.reduceRight<unknown>((inner, one) => ({ [one]: inner }), value));
  return finished(source, edits);
}

function newKey(edits: Edits, source: Source, key: string, value: unknown): void {
  const root = source.root[0];
  if (root?.at.flow) return setKey(edits, root.base, root.at, key, value);
  const line = `${pairsText({ [key]: value }, 0)}\n`;
  const organism = find(source.root, "organism");
  if (key !== "organism" && organism) edits.out.push(insertLines(edits.text, lineEnd(edits.text, organism.base + organism.at.end), line));
  else edits.out.push(insertLines(edits.text, afterIntroduction(edits.text), line));
}

/** Behind the comment that a text begins with. */
function afterIntroduction(text: string): number {
  let at = 0;
  while (at < text.length && isComment(text.slice(at, lineEnd(text, at)))) at = lineEnd(text, at);
  const isAlone = at > 0 && text.slice(at, lineEnd(text, at)).trim() === "";
  return isAlone ? lineStart(text, lineEnd(text, at)) : 0;
}

export function insertOnEdge(text: string, { wire, node }: Extract<Op, { op: "insertOnEdge" }>): Applied {
  const made = typeof node === "string" ? node : "";
  if (made && [wire.source, wire.target].some((one) => one.toLowerCase() === made.toLowerCase())) throw new Refusal("A node cannot be put into a wire of its own.");
  let name = made;
  return chain(text, [
    (now) => (made ? null : ((done) => ((name = done.created[0]!), done))(addNode(now, node as NewNode, wire.source))),
    (now) => reconnect(now, wire, { ...wire, target: name }),
    (now) => {
      const port = throughPort(read(now), name);
      return port ? connect(now, { source: name, port, target: wire.target }) : null;
    },
  ]);
}

/** Where a payload leaves that passes through. */
function throughPort(source: Source, name: string): string {
  const entry = entryOf(source, name);
  if (entry.section === "triggers") throw new Refusal("A trigger has no way in: it cannot stand in a wire.");
  const kind = kindOf(values(entry));
  return kind === "output" ? "" : kind === "branch" ? "case 0" : kind === "loop" ? "done" : "peer";
}
