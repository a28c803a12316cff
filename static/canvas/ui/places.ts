// Where nodes stand: as the canvas keeps it, and by layout for those that have no place yet.
import { placed as place, type Graph } from "../core";
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

/** Moves the view to a node when it is outside. */
export function showNode(id: string): void {
  const at = placed(store.get().graph, store.get().canvas)[id];
  if (at) view.show(at);
}
