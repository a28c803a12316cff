// Free lanes for wires that would otherwise run behind nodes; found when the picture changes, not while it moves.
import type { GEdge, Graph } from "../core";
import type { Point } from "./data";
import { backLane, errorLane, leadsBack, type Box, type Ends, type Lane } from "./route";
import { CIRCLE, portsWith, shapeOf, type Shape } from "./shape";

const IN = 26;
const MARGIN = 14;
/** What stands below the circle of a trigger. */
const CAPTION = 36;

interface Placed extends Box {
  id: string;
  shape: Shape;
}

/** The lane of each wire that needs one, by the wire's id. */
export function lanesOf(graph: Graph, places: Record<string, Point>): Map<string, Lane> {
  const boxes = new Map(graph.nodes.map((node) => [node.id, boxOf(node.id, shapeOf(node), places)]));
  const all = [...boxes.values()];
  const found = new Map<string, Lane>();
  for (const edge of graph.edges) {
    const ends = endsOf(edge, graph, boxes);
    const lane = ends && (edge.sourcePort === "error" ? errorOf(ends, edge, all) : leadsBack(ends) ? backLane(ends, all) : aroundOf(ends, edge, all));
    if (lane) found.set(edge.id, lane);
  }
  return found;
}

function boxOf(id: string, shape: Shape, places: Record<string, Point>): Placed {
  const at = places[id] ?? { x: 0, y: 0 };
  return { id, shape, x: at.x, y: at.y, width: shape.width, height: shape.height + (shape.width === CIRCLE ? CAPTION : 0) };
}

/** Beneath the node that failed, past what stands in the way. */
function errorOf(ends: Ends, edge: GEdge, all: readonly Placed[]): Lane | null {
  return ends.tx > ends.sx ? errorLane(ends, all.filter((box) => box.id !== edge.source && box.id !== edge.target)) : null;
}

function endsOf(edge: GEdge, graph: Graph, boxes: Map<string, Placed>): Ends | null {
  const from = boxes.get(edge.source);
  const to = boxes.get(edge.target);
  if (!from || !to) return null;
  if (edge.sourcePort === "error") return { sx: from.x + CIRCLE / 2, sy: from.y + from.shape.height, tx: to.x, ty: to.y + IN };
  const port = from.shape.ports.find((one) => one.id === edge.sourcePort) ?? portsWith(graph.nodes.find((node) => node.id === edge.source)!, [edge]).at(-1);
  return { sx: from.x + from.width, sy: from.y + (port?.y ?? IN), tx: to.x, ty: to.y + IN };
}

/** Nothing while the plain curve is free; else the nearest height at which a level wire passes everything. */
function aroundOf(ends: Ends, edge: GEdge, all: readonly Placed[]): Lane | null {
  if (ends.tx - ends.sx < 240) return null;
  const between = all.filter((box) => box.id !== edge.source && box.id !== edge.target && box.x < ends.tx - 20 && box.x + box.width > ends.sx + 20);
  if (!between.some((box) => hit(ends, box))) return null;
  const from = Math.max(ends.sx + 24, Math.min(...between.map((box) => box.x)) - MARGIN);
  const to = Math.min(ends.tx - 24, Math.max(...between.map((box) => box.x + box.width)) + MARGIN);
  const heights = between.flatMap((box) => [box.y - MARGIN, box.y + box.height + MARGIN]);
  const middle = (ends.sy + ends.ty) / 2;
  const free = [ends.sy, ends.ty, ...heights].filter((y) => !between.some((box) => y > box.y - MARGIN + 1 && y < box.y + box.height + MARGIN - 1));
  free.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  return free.length ? { y: free[0]!, from, to } : null;
}

/** Does the curve between the ends touch the box? Its middle part is as good as straight. */
function hit({ sx, sy, tx, ty }: Ends, box: Box): boolean {
  for (let step = 1; step < 12; step += 1) {
    const t = step / 12;
    const ease = t * t * (3 - 2 * t);
    const x = sx + (tx - sx) * t;
    const y = sy + (ty - sy) * ease;
    if (x > box.x - 4 && x < box.x + box.width + 4 && y > box.y - 6 && y < box.y + box.height + 6) return true;
  }
  return false;
}
