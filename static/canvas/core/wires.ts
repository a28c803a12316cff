// Wires in the text: made, cut and moved, each in the field that its port stands for.
import { Edits, replace } from "./edits.ts";
import { removeKey, setKey, setScalar, setValue } from "./mapedit.ts";
import { mentionsOf, type Mention } from "./mentions.ts";
import { entryOf, finished, listenerNamed, Refusal } from "./outcome.ts";
import { setIn } from "./pathedit.ts";
import { addItem, removeItems } from "./seqedit.ts";
import { read, type Entry, type Source } from "./source.ts";
import { lineEnd } from "./splice.ts";
import { pairOf, plain, real, valueOf, type YItem, type YPair } from "./tree.ts";
import type { Applied, Wire } from "./types.ts";

export function connect(text: string, { source: from, port, target }: Wire): Applied {
  const source = read(text);
  const entry = entryOf(source, from);
  const name = listenerNamed(source, target).name;
  if (mentionOf(entry, port, name)) return finished(source, null, { problems: [{ severity: "warning", line: 1, column: 1, message: `'${from}' is already connected to '${name}'.`, hint: "" }] });
  const edits = new Edits(text);
  write(edits, entry, port, name);
  return finished(source, edits);
}

function write(edits: Edits, entry: Entry, port: string, name: string): void {
  const map = entry.map!;
  const isTrigger = entry.section === "triggers";
  if (isTrigger !== (port === "trigger")) throw new Refusal(isTrigger ? "A trigger has one wire, which says what it starts." : `'${entry.name}' has no port '${port}'.`);
  if (port === "trigger") return setKey(edits, entry.base, map, "to", name);
  if (port === "error") return setKey(edits, entry.base, map, "onError", name);
  if (port === "peer") return addPeer(edits, entry, name);
  const index = /^case (\d+)$/.exec(port)?.[1];
  if (index !== undefined) return setCase(edits, entry, Number(index), name);
  if (port !== "else" && port !== "body" && port !== "done") throw new Refusal(`There is no port '${port}'.`);
  setIn(edits, entry.base, map, ["with", port], name);
}

function addPeer(edits: Edits, { base, map }: Entry, name: string): void {
  const pair = pairOf(map!, "peers");
  const value = pair?.value;
  if (value?.t === "seq" && (value.items.length || value.flow)) return addItem(edits, base, value, name);
  const before = plain(real(value));
  const names = Array.isArray(before) ? before : before === null || before === undefined || before === "" ? [] : [before];
  if (pair) setValue(edits, base, map!, pair, [...names, name]);
  else setKey(edits, base, map!, "peers", [name]);
}

function setCase(edits: Edits, { base, map }: Entry, index: number, name: string): void {
  const options = valueOf(map!, "with");
  const cases = options?.t === "map" ? valueOf(options, "cases") : null;
  const count = cases?.t === "seq" ? cases.items.length : 0;
  if (index < count) return setIn(edits, base, map!, ["with", "cases", index, "to"], name);
  const fresh = { if: "true", to: name };
  if (count) setIn(edits, base, map!, ["with", "cases", count], fresh);
  else setIn(edits, base, map!, ["with", "cases"], [fresh]);
}

function mentionOf(entry: Entry, port: string, name: string): Mention | undefined {
  const folded = name.toLowerCase();
  return mentionsOf(entry).find((one) => one.port === port && one.name.toLowerCase() === folded);
}

export function disconnect(text: string, wires: readonly Wire[]): Applied {
  const source = read(text);
  const cuts = new Map<Entry, Mention[]>();
  for (const { source: from, port, target } of wires) {
    const entry = entryOf(source, from);
    const folded = target.toLowerCase();
    const own = mentionsOf(entry).filter((one) => one.port === port && one.name.toLowerCase() === folded);
    if (!own.length && port === "trigger") throw new Refusal(`'${from}' names no node, so it starts the first one. Connect it to another, or remove it.`);
    if (!own.length) throw new Refusal(`There is no wire from '${from}' to '${target}' by ${port}.`);
    cuts.set(entry, [...(cuts.get(entry) ?? []), ...own]);
  }
  const edits = new Edits(text);
  for (const [entry, mentions] of cuts) forget(edits, entry, mentions);
  return finished(source, edits);
}

/** Takes mentions out of a node; a list without items goes as a whole. */
export function forget(edits: Edits, entry: Entry, mentions: readonly Mention[]): void {
  const items = new Set<YItem>();
  for (const { key, list } of mentions) {
    if (key) removeKey(edits, entry.base, key.map, key.pair);
    else items.add(list!.item);
  }
  const list = mentions.find((one) => one.list)?.list;
  if (!list) return;
  const gone = list.seq.items.filter((item) => items.has(item));
  if (gone.length < list.seq.items.length) removeItems(edits, entry.base, list.seq, gone);
  else emptied(edits, entry, list.owner);
}

function emptied(edits: Edits, { base, map }: Entry, owner: YPair): void {
  const after = edits.text.slice(base + owner.end, lineEnd(edits.text, base + owner.end));
  const inside = edits.text.slice(base + owner.colon, base + owner.end);
  if (after.includes("#") || /(^|\s)#/.test(inside)) replace(edits, base + owner.colon, base + owner.end, " []");
  else removeKey(edits, base, map!, owner);
}

export function reconnect(text: string, wire: Wire, to: Wire): Applied {
  const source = read(text);
  const entry = entryOf(source, wire.source);
  const name = listenerNamed(source, to.target).name;
  const mention = mentionOf(entry, wire.port, wire.target);
  if (entryOf(source, to.source) !== entry || to.port !== wire.port || !mention || mentionOf(entry, to.port, name)) return moved(text, wire, to, Boolean(mention));
  const edits = new Edits(text);
  const inFlow = mention.list?.seq.flow ?? mention.key?.map.flow ?? false;
  setScalar(edits, entry.base, mention.scalar, name, inFlow);
  return finished(source, edits);
}

function moved(text: string, wire: Wire, to: Wire, written: boolean): Applied {
  if (wire.source === to.source && wire.port === to.port && wire.target === to.target) return finished(read(text), null);
  const cut = written ? disconnect(text, [wire]) : null;
  return connect(cut?.text ?? text, to);
}

/** All places that name one of these, by the node in which they stand. */
export function mentionsTo(source: Source, names: ReadonlySet<string>): Map<Entry, Mention[]> {
  const found = new Map<Entry, Mention[]>();
  for (const entry of [...source.listeners.entries, ...source.triggers.entries]) {
    const own = mentionsOf(entry).filter((one) => names.has(one.name.toLowerCase()));
    if (own.length) found.set(entry, own);
  }
  return found;
}

