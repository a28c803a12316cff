// What is seen when a canvas opens: all of a small flow, the beginning of a large one, never too small to be read.
import type { Point } from "./data";
import { placed } from "./places";
import { shapeOf } from "./shape";
import { store } from "./state";
import { view } from "./viewport";

export interface Look extends Point {
  zoom: number;
}

export interface Room {
  width: number;
  height: number;
}

const LEAST = 0.65;
const MOST = 1.1;
const PADDING = 48;

interface Extent {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function extent(): Extent | null {
  const { graph, canvas } = store.get();
  const places = placed(graph, canvas);
  const found: Extent = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const node of graph.nodes) {
    const at = places[node.id];
    if (at) widen(found, at, shapeOf(node));
  }
  return found.left === Infinity ? null : found;
}

function widen(found: Extent, { x, y }: Point, { width, height }: Room): void {
  found.left = Math.min(found.left, x);
  found.right = Math.max(found.right, x + width);
  found.top = Math.min(found.top, y);
  found.bottom = Math.max(found.bottom, y + height);
}

/** All of it where that can be read; else its left edge, in the middle of its height. */
export function firstLook(room: Room): Look {
  const all = extent();
  if (!all || !room.width) return { x: room.width / 2, y: room.height / 2, zoom: 1 };
  const fits = Math.min((room.width - 2 * PADDING) / (all.right - all.left), (room.height - 2 * PADDING) / (all.bottom - all.top));
  const zoom = Math.max(LEAST, Math.min(MOST, fits));
  const wide = (all.right - all.left) * zoom > room.width - 2 * PADDING;
  const x = wide ? PADDING - all.left * zoom : room.width / 2 - ((all.left + all.right) / 2) * zoom;
  return { x, y: room.height / 2 - level(all, zoom, room) * zoom, zoom };
}

/** The flow's middle, unless its first node would be out of sight then. */
function level({ top, bottom }: Extent, zoom: number, room: Room): number {
  const { graph, canvas } = store.get();
  const first = graph.nodes[0];
  const at = first && placed(graph, canvas)[first.id];
  const middle = (top + bottom) / 2;
  if (!first || !at) return middle;
  const reach = Math.max(0, room.height / 2 / zoom - 60);
  const own = at.y + shapeOf(first).height / 2;
  return Math.max(own - reach, Math.min(own + reach, middle));
}

/** The canvas has another size now: the chosen node stays in sight, else it begins at its beginning again. */
export function resized(room: Room, again: boolean): void {
  const { selected, graph, canvas } = store.get();
  const id = selected.length === 1 ? selected[0]! : "";
  const node = graph.nodes.find((one) => one.id === id);
  const at = node && placed(graph, canvas)[id];
  if (node && at) view.keep({ ...at, ...shapeOf(node) }, room);
  else if (again) view.look(firstLook(room));
}
