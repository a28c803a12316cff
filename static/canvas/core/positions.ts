// Where nodes stand: beside the text, following what the text's changes did to the names.
import { followGroups } from "./groups.ts";
import { tidy, type TidyOptions } from "./layout.ts";
import type { Applied, CanvasState, Graph, Point, Positions, Size } from "./types.ts";

/** The canvas after an operation: renamed nodes keep their place, removed ones are forgotten. */
export function follow(canvas: CanvasState, { renamed, removed }: Pick<Applied, "renamed" | "removed">): CanvasState {
  if (!Object.keys(renamed).length && !removed.length) return canvas;
  const gone = new Set(removed);
  const moved = <T>(values: Record<string, T> | undefined): Record<string, T> | undefined =>
    values && Object.fromEntries(Object.entries(values).filter(([id]) => !gone.has(id)).map(([id, one]) => [Object.hasOwn(renamed, id) ? renamed[id]! : id, one]));
  const next: CanvasState = { ...canvas };
  if (canvas.nodes) next.nodes = moved(canvas.nodes)!;
  if (canvas.pins) next.pins = moved(canvas.pins)!;
  if (canvas.groups) next.groups = followGroups(canvas.groups, renamed, removed);
  return next;
}

/** A place for every node: the kept one, the text's own, or one by layout beside its neighbours. */
export function placed(graph: Graph, canvas: CanvasState, options: TidyOptions = {}): Positions {
  const kept = canvas.nodes ?? {};
  const found: Positions = {};
  for (const { id } of graph.nodes) {
    const at = (Object.hasOwn(kept, id) ? kept[id] : undefined) ?? (Object.hasOwn(graph.positions, id) ? graph.positions[id] : undefined);
    if (at && Number.isFinite(at.x) && Number.isFinite(at.y)) found[id] = { x: at.x, y: at.y };
  }
  const missing = graph.nodes.filter((node) => !Object.hasOwn(found, node.id));
  if (!missing.length) return found;
  const layout = tidy(graph, options);
  if (missing.length === graph.nodes.length) return layout;
  const size = options.size ?? (() => ({ width: 224, height: 52 }));
  const sizes = new Map(graph.nodes.map((node) => [node.id, size(node)]));
  for (const { id } of missing) found[id] = free(beside(id, graph, found, layout), id, found, sizes);
  return found;
}

/** As the layout has it relative to a neighbour that has its place. */
function beside(id: string, graph: Graph, found: Positions, layout: Positions): Point {
  const wires = graph.edges.filter((edge) => edge.source === id || edge.target === id);
  const near = wires.map((edge) => (edge.source === id ? edge.target : edge.source)).find((one) => Object.hasOwn(found, one));
  const own = layout[id]!;
  if (near !== undefined) return { x: found[near]!.x + own.x - layout[near]!.x, y: found[near]!.y + own.y - layout[near]!.y };
  const lowest = Object.values(found).reduce((low, at) => Math.max(low, at.y), -Infinity);
  const left = Object.values(found).reduce((low, at) => Math.min(low, at.x), Infinity);
  return Number.isFinite(lowest) ? { x: left, y: lowest + 112 } : own;
}

const STEP = 16;

/** Downwards until nothing is in the way. */
function free(at: Point, id: string, found: Positions, sizes: Map<string, Size>): Point {
  const own = sizes.get(id)!;
  const place = { ...at };
  for (let tries = 0; tries < 200; tries += 1) {
    const hit = Object.entries(found).some(([other, point]) => overlaps(place, own, point, sizes.get(other)!));
    if (!hit) return place;
    place.y += STEP;
  }
  return place;
}

function overlaps(a: Point, sizeA: Size, b: Point, sizeB: Size): boolean {
  return a.x < b.x + sizeB.width && b.x < a.x + sizeA.width && a.y < b.y + sizeB.height + STEP && b.y < a.y + sizeA.height + STEP;
}
