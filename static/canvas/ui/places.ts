// Where nodes stand: as the canvas keeps it, and by layout for those that have no place yet.
import { frames, GROUP, placed as place, type Frame, type Graph } from "../core";
import type { CanvasState, Point } from "./data";
import { shapeOf } from "./shape";
import { store } from "./state";
import { view } from "./viewport";

let last: { graph: Graph; nodes: CanvasState["nodes"]; places: Record<string, Point> } | null = null;

export function placed(graph: Graph, canvas: CanvasState): Record<string, Point> {
  if (last && last.graph === graph && last.nodes === canvas.nodes) return last.places;
  last = { graph, nodes: canvas.nodes, places: place(graph, canvas, { size: (node) => shapeOf(node) }) };
  return last.places;
}

export function framesOf(graph: Graph, canvas: CanvasState): Frame[] {
  return canvas.groups ? frames(canvas, placed(graph, canvas), new Map(graph.nodes.map((node) => [node.id, shapeOf(node)]))) : [];
}

/** A collapsed group that is moved takes its members along; those of an open one are told by themselves. */
export function membersAt(graph: Graph, canvas: CanvasState, moved: Record<string, Point>): Record<string, Point> {
  const found = Object.fromEntries(Object.entries(moved).filter(([id]) => !id.startsWith(GROUP)));
  const places = placed(graph, canvas);
  for (const frame of framesOf(graph, canvas)) {
    const to = frame.collapsed ? moved[GROUP + frame.id] : undefined;
    if (to) for (const name of frame.members) found[name] = { x: places[name]!.x + to.x - frame.x, y: places[name]!.y + to.y - frame.y };
  }
  return found;
}

/** Moves the view by as little as brings a node into it. */
export function showNode(id: string): void {
  const at = placed(store.get().graph, store.get().canvas)[id];
  const node = store.get().graph.nodes.find((one) => one.id === id);
  if (at && node) view.show({ ...at, ...shapeOf(node) });
}
