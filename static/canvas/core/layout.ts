// Tidy: left to right, by dagre; wires that lead back do not bend the picture. The same graph gives the same places.
import { Graph as Layered, layout } from "@dagrejs/dagre";
import { bends, layered } from "./layers.ts";
import { uncross } from "./uncross.ts";
import type { GEdge, GNode, Graph, Positions, Sized } from "./types.ts";

export interface TidyOptions {
  size?: (node: GNode) => Sized;
  /** Between columns and between nodes of a column. */
  gapX?: number;
  gapY?: number;
}

const USUAL: Sized = { width: 224, height: 52 };
const GRID = 8;
/** Above it dagre takes longer than a person waits; layers by longest path and medians take its place. */
const DAGRE_MOST = 150;

let last: { key: string; places: Positions } | null = null;

export function tidy(graph: Graph, { size = () => USUAL, gapX = 80, gapY = 40 }: TidyOptions = {}): Positions {
  const sizes = new Map(graph.nodes.map((node) => [node.id, size(node)]));
  const key = keyOf(graph, sizes, gapX, gapY);
  if (last?.key === key) return { ...last.places };
  const forward = acyclic(graph);
  const ids = graph.nodes.map((node) => node.id);
  const measures = { sizes, gapX, gapY };
  const made = ids.length + bends(ids, forward) > DAGRE_MOST ? layered(ids, forward, measures) : byDagre(graph, forward, measures);
  last = { key, places: made };
  return { ...made };
}

function keyOf(graph: Graph, sizes: Map<string, Sized>, gapX: number, gapY: number): string {
  const nodes = graph.nodes.map((node) => `${node.id} ${sizes.get(node.id)!.width} ${sizes.get(node.id)!.height}`);
  return [gapX, gapY, ...nodes, ...graph.edges.map((edge) => edge.id)].join("\n");
}

export interface Measures { sizes: Map<string, Sized>; gapX: number; gapY: number }

function byDagre(graph: Graph, edges: readonly GEdge[], { sizes, gapX, gapY }: Measures): Positions {
  const drawing = new Layered({ multigraph: true });
  drawing.setGraph({ rankdir: "LR", ranksep: gapX, nodesep: gapY, marginx: GRID, marginy: GRID, ranker: "network-simplex" });
  drawing.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) drawing.setNode(node.id, { ...sizes.get(node.id)! });
  for (const edge of edges) drawing.setEdge(edge.source, edge.target, { weight: WEIGHTS[edge.sourcePort] ?? 2, minlen: 1 }, edge.sourcePort);
  layout(drawing);
  const found: Positions = {};
  for (const { id } of graph.nodes) {
    const at = drawing.node(id) as { x: number; y: number };
    found[id] = { x: snap(at.x - sizes.get(id)!.width / 2), y: snap(at.y - sizes.get(id)!.height / 2) };
  }
  uncross(found, edges, { sizes, gapX, gapY });
  return found;
}

const WEIGHTS: Record<string, number> = { error: 1, else: 1, trigger: 3 };

export function snap(value: number): number {
  return Math.round(value / GRID) * GRID;
}

/** The wires without those that close a circle, looked at from the triggers on. */
export function acyclic(graph: Graph): GEdge[] {
  const leaving = new Map<string, GEdge[]>();
  for (const edge of graph.edges) (leaving.get(edge.source) ?? leaving.set(edge.source, []).get(edge.source)!).push(edge);
  const state = new Map<string, 1 | 2>();
  const back = new Set<string>();
  for (const { id } of graph.nodes) if (!state.has(id)) walk(id, leaving, state, back);
  return graph.edges.filter((edge) => edge.source !== edge.target && !back.has(edge.id));
}

/** Depth first without recursion: a chain of thousands is no problem. */
function walk(root: string, leaving: Map<string, GEdge[]>, state: Map<string, 1 | 2>, back: Set<string>): void {
  const stack: { id: string; next: number }[] = [{ id: root, next: 0 }];
  state.set(root, 1);
  while (stack.length) {
    const top = stack.at(-1)!;
    const edge = leaving.get(top.id)?.[top.next++];
    if (!edge) {
      state.set(top.id, 2);
      stack.pop();
    } else if (state.get(edge.target) === 1) {
      back.add(edge.id);
    } else if (!state.has(edge.target)) {
      state.set(edge.target, 1);
      stack.push({ id: edge.target, next: 0 });
    }
  }
}
