// What is seen when a canvas opens: all of a small flow, the beginning of a large one, never too small to be read.
import { clusters } from "./clusters";
import type { Point } from "./data";
import { placed } from "./places";
import type { Box } from "./route";
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

function boxes(): Box[] {
  const { graph, canvas } = store.get();
  const places = placed(graph, canvas);
  return graph.nodes.flatMap((node) => (places[node.id] ? [{ ...places[node.id]!, ...shapeOf(node) }] : []));
}

function extent(all: readonly Box[]): Extent {
  const found: Extent = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const { x, y, width, height } of all) {
    found.left = Math.min(found.left, x);
    found.right = Math.max(found.right, x + width);
    found.top = Math.min(found.top, y);
    found.bottom = Math.max(found.bottom, y + height);
  }
  return found;
}

function fitting({ left, right, top, bottom }: Extent, room: Room): number {
  return Math.min((room.width - 2 * PADDING) / (right - left), (room.height - 2 * PADDING) / (bottom - top));
}

export function firstLook(room: Room): Look {
  return lookAt(boxes(), room);
}

/** All of it where that can be read; else the largest group of nodes, from its left edge on. */
export function lookAt(nodes: readonly Box[], room: Room): Look {
  if (!nodes.length || !room.width) return { x: room.width / 2, y: room.height / 2, zoom: 1 };
  const shown = fitting(extent(nodes), room) < LEAST ? clusters(nodes)[0]! : nodes;
  const all = extent(shown);
  const zoom = Math.max(LEAST, Math.min(MOST, fitting(all, room)));
  const wide = (all.right - all.left) * zoom > room.width - 2 * PADDING;
  const x = wide ? PADDING - all.left * zoom : room.width / 2 - ((all.left + all.right) / 2) * zoom;
  const y = room.height / 2 - level(all, shown, room.height / zoom, wide ? all.left + (room.width - PADDING) / zoom : Infinity) * zoom;
  return { x: Math.round(x), y: Math.round(y), zoom };
}

/** The group's middle, unless its first node would be out of sight then; where that is too far to the right, the leftmost. */
function level({ top, bottom }: Extent, nodes: readonly Box[], height: number, right: number): number {
  const middle = (top + bottom) / 2;
  const first = nodes[0]!.x < right ? nodes[0]! : nodes.reduce((one, other) => (other.x < one.x ? other : one));
  const reach = Math.max(0, height / 2 - 60);
  const own = first.y + first.height / 2;
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
