// Wires: made, moved, cut, and nodes put into them.
import type { Connection, Edge } from "@xyflow/react";
import type { GEdge, NewNode, Wire } from "../core";
import type { Point } from "./data";
import { connect, disconnect, move, run } from "./edit";
import { placed } from "./places";
import { say, store } from "./state";

function wireOf(edge: GEdge): Wire {
  return { source: edge.source, port: edge.sourcePort, target: edge.target };
}

function edgeById(id: string): GEdge | undefined {
  return store.get().graph.edges.find((edge) => edge.id === id);
}

/** A trigger takes no wire, and the same wire is not drawn twice. */
export function sensible({ source, sourceHandle, target }: Connection | Edge): boolean {
  const { graph } = store.get();
  if (graph.nodes.find((node) => node.id === target)?.kind === "trigger") return false;
  return !graph.edges.some((edge) => edge.source === source && edge.sourcePort === sourceHandle && edge.target === target);
}

export function connectEnds({ source, sourceHandle, target }: Connection): void {
  if (connect(source, sourceHandle ?? "peer", target)) say(`${source} is connected to ${target}.`);
}

export function reconnectEnds(old: Edge, { source, sourceHandle, target }: Connection): void {
  const edge = edgeById(old.id);
  if (edge) run({ op: "reconnect", wire: wireOf(edge), to: { source, port: sourceHandle ?? "peer", target } });
}

export function cut(id: string): void {
  const edge = edgeById(id);
  if (!edge) return;
  disconnect([wireOf(edge)]);
  store.set({ selectedEdge: "" });
  say(`The wire from ${edge.source} to ${edge.target} is cut.`);
}

/** The wire under the pointer, beside those of `not`, which is what is being dragged. */
export function edgeUnder(at: { clientX: number; clientY: number }, not = ""): string {
  for (const element of document.elementsFromPoint(at.clientX, at.clientY)) {
    const id = element.closest<SVGElement>(".react-flow__edge")?.dataset.id;
    const edge = id ? edgeById(id) : undefined;
    if (edge && edge.source !== not && edge.target !== not) return edge.id;
  }
  return "";
}

/** Puts a node that is there into a wire. */
export function insertNode(name: string, wire: string): void {
  const edge = edgeById(wire);
  if (edge && run({ op: "insertOnEdge", wire: wireOf(edge), node: name })) say(`${name} is put between ${edge.source} and ${edge.target}.`);
}

/** Puts a new node into a wire; what is to the right of it makes room. */
export function insertNew(node: NewNode, wire: string, at?: Point): string {
  const edge = edgeById(wire);
  if (!edge) return "";
  const places = placed(store.get().graph, store.get().canvas);
  const from = places[edge.source] ?? { x: 0, y: 0 };
  const to = places[edge.target] ?? from;
  const place = at ?? { x: Math.round((from.x + to.x) / 2), y: Math.round((from.y + to.y) / 2) };
  const made = run({ op: "insertOnEdge", wire: wireOf(edge), node }, (done) => (done.created[0] ? { [done.created[0]]: place } : {}))?.created[0];
  if (made && to.x > from.x && to.x - from.x < 560) makeRoom(made, to.x, 560 - (to.x - from.x));
  return made ?? "";
}

function makeRoom(made: string, from: number, by: number): void {
  const places = placed(store.get().graph, store.get().canvas);
  const moved = Object.entries(places).filter(([id, place]) => id !== made && place.x >= from).map(([id, place]) => [id, { x: place.x + by, y: place.y }] as const);
  const own = places[made];
  move({ ...Object.fromEntries(moved), ...(own ? { [made]: { x: from - 280 + by, y: own.y } } : {}) }, "insert");
}
