// The YAML of a text as a small tree that knows where everything stands, relative to where its text began.
import { isAlias, isMap, isScalar, isSeq, parseDocument, type CST, type Document, type Node, type Pair, type Scalar } from "yaml";
import { resolved } from "./plainscalar.ts";
import type { Style } from "./scalar.ts";

export interface YScalar { t: "scalar"; start: number; end: number; value: unknown; style: Style }
export interface YAlias { t: "alias"; start: number; end: number; to: YNode | null }
export interface YPair { key: string; keyStart: number; keyEnd: number; colon: number; value: YNode | null; end: number }
export interface YItem { start: number; node: YNode | null; end: number }
export interface YMap { t: "map"; start: number; end: number; flow: boolean; pairs: YPair[] }
export interface YSeq { t: "seq"; start: number; end: number; flow: boolean; items: YItem[] }
export type YNode = YScalar | YAlias | YMap | YSeq;

export interface Fault { start: number; message: string }
export interface Tree { root: YNode | null; faults: Fault[]; aliases: boolean }

const OPTIONS = { keepSourceTokens: true, prettyErrors: false, uniqueKeys: false, logLevel: "silent", strict: true, schema: "failsafe", resolveKnownTags: false } as const;
const DEEPEST = 200;

/** Never throws; what cannot be read is a fault. */
export function readTree(text: string): Tree {
  const tree: Tree = { root: null, faults: [], aliases: false };
  try {
    const document = parseDocument(text, OPTIONS);
    tree.faults = document.errors.map((error) => ({ start: error.pos[0], message: tidied(error.message) }));
    tree.root = new Reader(text, document, tree).node(document.contents as Node | null, [], 0);
  } catch (wrong) {
    tree.faults.push({ start: 0, message: wrong instanceof RangeError ? "this is nested too deeply" : String((wrong as Error).message) });
  }
  return tree;
}

function tidied(message: string): string {
  return message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
}

class Reader {
  private readonly seen = new Map<Node, YNode>();

  constructor(
    private readonly text: string,
    private readonly document: Document,
    private readonly tree: Tree,
  ) {}

  node(node: Node | null, props: readonly CST.SourceToken[], depth: number): YNode | null {
    if (!node?.range) return null;
    if (depth > DEEPEST) throw new RangeError("too deep");
    const start = Math.min(node.range[0], firstProp(props));
    const made = this.made(node, start, depth);
    if (made) this.seen.set(node, made);
    return made;
  }

  private made(node: Node, start: number, depth: number): YNode | null {
    if (isAlias(node)) return this.alias(node, start);
    if (isMap(node)) return this.map(node.items as Pair[], node.srcToken as CST.BlockMap | CST.FlowCollection, [start, node.range![1]], depth);
    if (isSeq(node)) return this.seq(node.items as Node[], node.srcToken as CST.BlockSequence | CST.FlowCollection, [start, node.range![1]], depth);
    if (!isScalar(node)) return null;
    const end = this.scalarEnd(start, node.range![1]);
    if (node.value === "" && end === node.range![0] && start === end) return null;
    return { t: "scalar", start, end, value: valueOfScalar(node), style: STYLES[String(node.type)] ?? "plain" };
  }

  private alias(node: Node, start: number): YAlias {
    this.tree.aliases = true;
    const target = isAlias(node) ? node.resolve(this.document) : undefined;
    const to = (target && this.seen.get(target as Node)) ?? null;
    if (!to) this.tree.faults.push({ start, message: `the alias ${this.text.slice(start, node.range![1]).slice(0, 60)} stands for nothing` });
    return { t: "alias", start, end: node.range![1], to };
  }

  private map(pairs: Pair[], token: CST.BlockMap | CST.FlowCollection, range: [number, number], depth: number): YMap {
    const flow = token?.type === "flow-collection";
    const items = (token?.items ?? []).filter((item) => item.key || item.sep || item.value);
    const read = pairs.map((pair, index) => this.pair(pair, items[index], depth));
    const end = flow || !read.length ? range[1] : read.at(-1)!.end;
    return { t: "map", start: range[0], end: flow ? this.trimmed(range[0], end) : end, flow, pairs: read };
  }

  private pair(pair: Pair, token: CST.CollectionItem | undefined, depth: number): YPair {
    const key = pair.key as Node | null;
    const keyStart = Math.min(key?.range?.[0] ?? 0, firstProp(token?.start ?? []));
    const keyEnd = key?.range?.[1] ?? keyStart;
    const ind = token?.sep?.find((one) => one.type === "map-value-ind");
    const colon = ind ? ind.offset + 1 : keyEnd;
    const value = this.node(pair.value as Node | null, token?.sep ?? [], depth + 1);
    if (isAlias(key)) this.tree.faults.push({ start: keyStart, message: "an alias cannot be a key" });
    const text = isScalar(key) ? String(key.source ?? key.value ?? "") : this.text.slice(keyStart, keyEnd);
    return { key: text, keyStart, keyEnd, colon, value, end: Math.max(colon, value?.end ?? colon) };
  }

  private seq(nodes: Node[], token: CST.BlockSequence | CST.FlowCollection, range: [number, number], depth: number): YSeq {
    const flow = token?.type === "flow-collection";
    const tokens = (token?.items ?? []).filter((item) => !flow || item.value || item.key || item.sep);
    const items = nodes.map((node, index) => this.item(node, tokens[index], flow, depth));
    const end = flow || !items.length ? range[1] : items.at(-1)!.end;
    return { t: "seq", start: flow ? range[0] : items[0]?.start ?? range[0], end: flow ? this.trimmed(range[0], end) : end, flow, items };
  }

  private item(node: Node, token: CST.CollectionItem | undefined, flow: boolean, depth: number): YItem {
    const read = this.node(node, token?.start ?? [], depth + 1);
    const dash = flow ? undefined : token?.start.find((one) => one.type === "seq-item-ind");
    const start = dash?.offset ?? read?.start ?? node?.range?.[0] ?? 0;
    return { start, node: read, end: Math.max(read?.end ?? 0, dash ? dash.offset + 1 : start) };
  }

  /** Of `|+` the blank lines below belong to the text. */
  private scalarEnd(start: number, end: number): number {
    const keeps = /^[|>][1-9]?\+/.test(this.text.slice(start, start + 3));
    return keeps && this.text[end - 1] === "\n" ? end - 1 : this.trimmed(start, end);
  }

  private trimmed(start: number, end: number): number {
    let at = end;
    while (at > start && (this.text[at - 1] === "\n" || this.text[at - 1] === "\r")) at -= 1;
    return at;
  }
}

const STYLES: Record<string, Style> = { PLAIN: "plain", QUOTE_SINGLE: "single", QUOTE_DOUBLE: "double", BLOCK_LITERAL: "block", BLOCK_FOLDED: "block" };

/** Quotes and `!!str` say that it is a text. */
function valueOfScalar({ value, type, tag }: Scalar): unknown {
  const text = String(value ?? "");
  const isText = tag === "!" || tag === "tag:yaml.org,2002:str";
  return isText || (type !== "PLAIN" && !tag) ? text : resolved(text);
}

function firstProp(tokens: readonly CST.SourceToken[]): number {
  return tokens.find((token) => token.type === "anchor" || token.type === "tag")?.offset ?? Infinity;
}

const MOST = 20_000;

/** Ordinary values; a text that would grow without bounds by its aliases ends as null. */
export function plain(node: YNode | null, budget = { left: MOST }): unknown {
  if (!node || (budget.left -= 1) < 0) return null;
  if (node.t === "alias") return plain(node.to, budget);
  if (node.t === "seq") return node.items.map((item) => plain(item.node, budget));
  if (node.t === "scalar") return typeof node.value === "bigint" ? String(node.value) : node.value;
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const pair of node.pairs) found[pair.key] = plain(pair.value, budget);
  return { ...found };
}

/** Through aliases. */
export function real(node: YNode | null | undefined): YNode | null {
  return node?.t === "alias" ? real(node.to) : node ?? null;
}

const bare = (key: string): string => key.replace(/_([a-z0-9])/g, (_, char: string) => char.toUpperCase());
const spellings = new Map<string, string>();

/** Keys in camelCase and in snake_case are the same key. */
export function sameKey(a: string, b: string): boolean {
  return a === b || folded(a) === folded(b);
}

function folded(key: string): string {
  let found = spellings.get(key);
  if (found === undefined) {
    found = bare(key);
    if (spellings.size < 2_000 && key.length < 60) spellings.set(key, found);
  }
  return found;
}

export function pairOf(map: YMap, key: string): YPair | undefined {
  return map.pairs.find((pair) => pair.key === key) ?? map.pairs.find((pair) => sameKey(pair.key, key));
}

export function valueOf(map: YMap, key: string): YNode | null {
  return real(pairOf(map, key)?.value);
}

export function textOf(map: YMap, key: string): string {
  const value = valueOf(map, key);
  return value?.t === "scalar" && typeof value.value === "string" ? value.value : "";
}
