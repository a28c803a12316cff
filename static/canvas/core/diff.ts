// What is different between two flows, as the picture shows it.
import type { GEdge, GNode, Graph } from "./types.ts";

export interface NodeChange { id: string; before: GNode; after: GNode; /** Keys that differ, such as `with.url`. */ keys: string[] }
export interface GraphDiff { added: GNode[]; removed: GNode[]; changed: NodeChange[]; edgesAdded: GEdge[]; edgesRemoved: GEdge[]; same: boolean }

export function diff(before: Graph, after: Graph): GraphDiff {
  const [old, now] = [byId(before.nodes), byId(after.nodes)];
  const added = after.nodes.filter((node) => !old.has(node.id));
  const removed = before.nodes.filter((node) => !now.has(node.id));
  const changed = after.nodes.flatMap((node): NodeChange[] => {
    const was = old.get(node.id);
    const keys = was ? differing(was.fields, node.fields) : [];
    return was && keys.length ? [{ id: node.id, before: was, after: node, keys }] : [];
  });
  const edgesAdded = missing(after.edges, before.edges);
  const edgesRemoved = missing(before.edges, after.edges);
  const same = !added.length && !removed.length && !changed.length && !edgesAdded.length && !edgesRemoved.length;
  return { added, removed, changed, edgesAdded, edgesRemoved, same };
}

function byId(nodes: readonly GNode[]): Map<string, GNode> {
  return new Map(nodes.map((node) => [node.id, node]));
}

function missing(among: readonly GEdge[], others: readonly GEdge[]): GEdge[] {
  const known = new Set(others.map((edge) => edge.id));
  return among.filter((edge) => !known.has(edge.id));
}

function differing(a: Record<string, unknown>, b: Record<string, unknown>, prefix = ""): string[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => {
    if (equal(a[key], b[key])) return [];
    const [x, y] = [a[key], b[key]];
    return prefix === "" && key === "with" && isMap(x) && isMap(y) ? differing(x, y, "with.") : [prefix + key];
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Alike as values; the order of keys does not count. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, index) => equal(one, b[index]));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}
