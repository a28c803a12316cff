// Text → picture. Whatever the text is, there is an answer and no exception.
import { field, kindOf, optionsOf, portsOf, text as textField } from "./kinds.ts";
import { mentionsOf, type Mention } from "./mentions.ts";
import { looksLikePdflow, parsePdflow } from "./pdflow.ts";
import { check } from "./problems.ts";
import { isMap } from "./scalar.ts";
import { entriesById, find, read, values, type Entry, type Source } from "./source.ts";
import { plain, real, textOf } from "./tree.ts";
import type { Dangling, GEdge, GNode, Graph } from "./types.ts";
import { placeOf } from "./splice.ts";

export interface ParseOptions {
  /** Texts of the files beside this one, for `listeners: {directory}`: shown, not edited. */
  files?: Readonly<Record<string, string>>;
}

export function parse(text: string, options: ParseOptions = {}): Graph {
  try {
    return looksLikePdflow(text) ? parsePdflow(text) : organism(text, options);
  } catch (wrong) {
    return { ...empty(), broken: true, problems: [{ severity: "error", line: 1, column: 1, message: `This cannot be drawn: ${String((wrong as Error).message)}`, hint: "" }] };
  }
}

export function empty(): Graph {
  return { dialect: "organism", title: "", description: "", nodes: [], edges: [], dangling: [], problems: [], broken: false, readOnly: false, positions: {} };
}

function organism(text: string, options: ParseOptions): Graph {
  const source = read(text);
  const graph = empty();
  graph.broken = source.faults.length > 0;
  head(source, graph);
  const entries = entriesById(source);
  for (const [id, entry] of entries) graph.nodes.push(nodeOf(source, id, entry));
  graph.nodes.sort((a, b) => Number(b.kind === "trigger") - Number(a.kind === "trigger"));
  wire(source, entries, graph, external(source, graph, options));
  graph.problems = check(source, graph);
  return graph;
}

function head(source: Source, graph: Graph): void {
  const pair = find(source.root, "organism");
  const map = real(pair?.at.value);
  if (map?.t !== "map") return;
  graph.title = textOf(map, "name");
  graph.description = textOf(map, "description");
}

function nodeOf(source: Source, id: string, entry: Entry): GNode {
  const own = (entry.kept.node ??= made(entry)) as GNode;
  const range = [entry.base + entry.item.start, entry.base + entry.item.end] as const;
  const name = entry.map!.pairs.find((pair) => pair.key === "name");
  const place = placeOf(source.starts, entry.base + (name?.value?.start ?? entry.item.start));
  return { ...own, id, range, ...place };
}

function made(entry: Entry): GNode {
  const fields = values(entry);
  const kind = entry.section === "triggers" ? "trigger" : kindOf(fields);
  const node = { id: entry.name, name: entry.name, label: entry.name, kind, fields, range: [0, 0] as const, line: 1, column: 1, readOnly: false };
  const options = kind === "trigger" ? withoutName(fields) : optionsOf(fields, kind);
  const disabled = kind === "trigger" ? field(fields, "enabled") === false : field(fields, "disabled") === true;
  return { ...node, handler: textField(fields, "handler"), description: textField(fields, "description"), options, disabled, ports: portsOf(kind, options) };
}

function withoutName(fields: Record<string, unknown>): Record<string, unknown> {
  const { name: _, ...rest } = fields;
  return rest;
}

/** Listeners in files of their own; they stand nowhere in this text. */
function external(source: Source, graph: Graph, { files = {} }: ParseOptions): Map<string, Entry> {
  const node = source.listeners.node;
  const found = new Map<string, Entry>();
  if (node?.at.t !== "map") return found;
  const folder = textOf(node.at, "directory") || "listeners";
  const names = Object.keys(files).filter((path) => inside(path, folder)).sort();
  for (const entry of names.flatMap((path) => entriesIn(files[path]!))) {
    if (!entry.name || found.has(entry.name)) continue;
    found.set(entry.name, entry);
    graph.nodes.push({ ...made(entry), readOnly: true, range: [node.base + node.at.start, node.base + node.at.end], ...placeOf(source.starts, node.base + node.at.start) });
  }
  return found;
}

function inside(path: string, folder: string): boolean {
  const tidy = folder.replace(/^~?\/+/, "").replace(/\/+$/, "");
  const last = tidy.split("/").at(-1)!;
  const home = path.split("/").slice(0, -1).join("/");
  return /\.ya?ml$/.test(path) && (home === tidy || home.endsWith(`/${tidy}`) || home === last || home.endsWith(`/${last}`));
}

function entriesIn(text: string): Entry[] {
  const { root, listeners } = read(text);
  if (listeners.entries.length) return listeners.entries;
  const own = root[0]?.at;
  const inner = own ? real(own.pairs.find((pair) => pair.key === "listener")?.value) : null;
  const map = inner?.t === "map" ? inner : own;
  return map ? [{ name: textOf(map, "name"), section: "listeners", base: 0, item: { start: map.start, end: map.end, node: map }, map, kept: {} }] : [];
}

function wire(source: Source, entries: Map<string, Entry>, graph: Graph, more: Map<string, Entry>): void {
  const byName = new Map<string, string>();
  for (const node of graph.nodes) if (node.kind !== "trigger") byName.set(node.name.toLowerCase(), node.id);
  const seen = new Set<string>();
  const groups = outside(source, byName);
  for (const [id, entry] of [...entries, ...more].sort(([, a], [, b]) => Number(b.section === "triggers") - Number(a.section === "triggers"))) {
    const mentions = mentionsOf(entry);
    if (entry.section === "triggers" && !mentions.length) add(graph, seen, edge(id, "trigger", entryPoint(source, graph)));
    for (const mention of mentions) {
      const target = byName.get(mention.name.toLowerCase());
      if (target !== undefined) add(graph, seen, edge(id, mention.port, target));
      else if (!known(mention, groups)) graph.dangling.push(dangling(source, id, entry, mention));
    }
  }
}

function add(graph: Graph, seen: Set<string>, made: GEdge): void {
  if (!made.target || seen.has(made.id)) return;
  seen.add(made.id);
  graph.edges.push(made);
}

/** Where a trigger leads that names nobody: to the first trigger's target, else to the first listener. */
function entryPoint(source: Source, graph: Graph): string {
  const first = source.triggers.entries.find((entry) => entry.name);
  const named = first?.map ? textOf(first.map, "to").toLowerCase() : "";
  const listeners = graph.nodes.filter((node) => node.kind !== "trigger");
  return (named ? listeners.find((node) => node.name.toLowerCase() === named)?.id : listeners[0]?.id) ?? "";
}

function edge(source: string, port: string, target: string): GEdge {
  return { id: `${source}>${port}>${target}`, source, sourcePort: port, target };
}

function dangling(source: Source, id: string, entry: Entry, mention: Mention): Dangling {
  return { ...edge(id, mention.port, mention.name), ...placeOf(source.starts, entry.base + mention.scalar.start) };
}

/** Names that peers may have without being listeners: gateways, and groups such as `search` of search.google. */
function outside(source: Source, names: Map<string, string>): Set<string> {
  const gateways = plain(find(source.root, "gateways")?.at.value ?? null);
  const found = Array.isArray(gateways) ? gateways.flatMap((one) => (isMap(one) ? [String(one.name).toLowerCase()] : [])) : [];
  for (const name of names.keys()) if (name.includes(".")) found.push(name.slice(0, name.lastIndexOf(".")));
  return new Set(["*", ...found]);
}

function known({ port, name }: Mention, groups: Set<string>): boolean {
  const folded = name.toLowerCase();
  return port === "peer" && (groups.has(folded) || folded.startsWith("system."));
}

