// A flow's text with the places of its parts: what the picture is drawn from and what edits go by.
import { chunksOf } from "./chunks.ts";
import { detached, lineStarts, placeOf } from "./splice.ts";
import { pairOf, plain, readTree, real, textOf, type Fault, type YItem, type YMap, type YNode, type YPair, type Tree } from "./tree.ts";
import type { Problem } from "./types.ts";

/** A node and what its places count from. */
export interface Ref<T> { base: number; at: T }

export interface Entry {
  name: string;
  section: "listeners" | "triggers";
  base: number;
  item: YItem;
  /** Null when the item is no mapping. */
  map: YMap | null;
  /** Made once for the same text, wherever it stands. */
  kept: Kept;
}

/** What is remembered with the text of an entry. */
export interface Kept { values?: Record<string, unknown>; node?: unknown }

export interface Section { pair: Ref<YPair> | null; node: Ref<YNode> | null; entries: Entry[] }

export interface Source {
  text: string;
  faults: Fault[];
  root: Ref<YMap>[];
  /** What the root is when it is no mapping. */
  odd: string;
  listeners: Section;
  triggers: Section;
  starts: number[];
}

interface Chunk { tree: Tree; kept: Kept }
let cache = new Map<string, Chunk>();
let last: Source | null = null;

export function read(text: string): Source {
  if (last?.text === text) return last;
  const source = chunked(text) ?? whole(text);
  last = source;
  return source;
}

function chunked(text: string): Source | null {
  const chunks = chunksOf(text);
  if (!chunks) return null;
  const used = new Map<string, Chunk>();
  const parts = [{ base: 0, end: chunks.start }, { base: chunks.end, end: text.length }];
  const trees = parts.map(({ base, end }) => ({ base, tree: chunk(text.slice(base, end), used).tree }));
  const items = chunks.items.map((base, index) => ({ base, chunk: chunk(text.slice(base, chunks.items[index + 1] ?? chunks.end), used) }));
  if (cache.size > 2 * used.size + 500) cache = used;
  const all = [...trees, ...items.map(({ base, chunk: { tree } }) => ({ base, tree }))];
  if (all.some(({ tree }) => tree.aliases) || trees.some(({ tree }) => tree.root && tree.root.t !== "map")) return null;
  const source = begin(text);
  for (const { base, tree } of all) source.faults.push(...tree.faults.map((fault) => ({ ...fault, start: fault.start + base })));
  source.root = trees.flatMap(({ base, tree }) => (tree.root?.t === "map" ? [{ base, at: tree.root }] : []));
  const pair = find(source.root, "listeners");
  if (!pair || pair.at.value) return null;
  const entries: Entry[] = [];
  for (const { base, chunk: found } of items) {
    const seq = found.tree.root;
    if (seq?.t !== "seq" || seq.items.length !== 1) {
      if (!found.tree.faults.length) return null;
      continue;
    }
    entries.push(entry(seq.items[0]!, base, "listeners", found.kept));
  }
  source.listeners = { pair, node: null, entries };
  source.triggers = section(source.root, "triggers");
  return source;
}

function chunk(text: string, used: Map<string, Chunk>): Chunk {
  let found = used.get(text) ?? cache.get(text);
  if (!found) {
    const own = detached(text);
    found = { tree: readTree(own), kept: {} };
    cache.set(own, found);
  }
  used.set(text, found);
  return found;
}

function whole(text: string): Source {
  const tree = readTree(text);
  const source = begin(text);
  source.faults = tree.faults;
  if (tree.root?.t === "map") source.root = [{ base: 0, at: tree.root }];
  else if (tree.root) source.odd = tree.root.t === "seq" ? "a list" : "a single value";
  source.listeners = section(source.root, "listeners");
  source.triggers = section(source.root, "triggers");
  return source;
}

function begin(text: string): Source {
  const none = (): Section => ({ pair: null, node: null, entries: [] });
  return { text, faults: [], root: [], odd: "", listeners: none(), triggers: none(), starts: lineStarts(text) };
}

function section(root: readonly Ref<YMap>[], key: "listeners" | "triggers"): Section {
  const pair = find(root, key);
  const node = real(pair?.at.value);
  if (!pair || !node) return { pair, node: null, entries: [] };
  const items = node.t === "seq" ? node.items : [];
  return { pair, node: { base: pair.base, at: node }, entries: items.map((item) => entry(item, pair.base, key, {})) };
}

function entry(item: YItem, base: number, section: Entry["section"], kept: Kept): Entry {
  const node = real(item.node);
  const map = node?.t === "map" ? node : null;
  return { name: map ? textOf(map, "name") : "", section, base, item, map, kept };
}

/** A key of the whole flow. */
export function find(root: readonly Ref<YMap>[], key: string): Ref<YPair> | null {
  for (const { base, at } of root) {
    const pair = pairOf(at, key);
    if (pair) return { base, at: pair };
  }
  return null;
}

export function values(entry: Entry): Record<string, unknown> {
  entry.kept.values ??= plain(entry.map) as Record<string, unknown>;
  return entry.kept.values;
}

export function problem(source: Source, at: number, message: string, hint = "", severity: Problem["severity"] = "error"): Problem {
  return { severity, ...placeOf(source.starts, at), message, hint };
}

/** All nodes by id, as the picture names them. */
export function entriesById(source: Source): Map<string, Entry> {
  const found = new Map<string, Entry>();
  const names = new Set<string>();
  for (const entry of source.listeners.entries) {
    const folded = entry.name.toLowerCase();
    if (!entry.name || entry.name === "__proto__" || names.has(folded)) continue;
    names.add(folded);
    found.set(entry.name, entry);
  }
  const taken = new Set<string>();
  for (const entry of source.triggers.entries) {
    const folded = entry.name.toLowerCase();
    if (!entry.name || taken.has(folded)) continue;
    taken.add(folded);
    found.set(names.has(folded) ? `trigger:${entry.name}` : entry.name, entry);
  }
  return found;
}
