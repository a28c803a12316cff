// Adding a node: at the pointer, or beside the chosen one and wired to it.
import type { GNode, NewNode } from "../core";
import type { PaletteItem, Point } from "./data";
import { run } from "./edit";
import { focusNode } from "./focus";
import { kindOfItem, nameHint } from "./items";
import { placed, showNode } from "./places";
import { chosenNodes, select } from "./select";
import { portsWith, shapeOf } from "./shape";
import { say, store } from "./state";
import { view } from "./viewport";
import { insertNew } from "./wiring";

export const ITEM_TYPE = "application/x-priostack-node";
const GAP = 56;

export function newNode(item: PaletteItem): NewNode {
  const { kind, trigger } = kindOfItem(item);
  const name = nameHint(item);
  if (kind === "trigger") return { kind: "trigger", name, fields: { type: trigger } };
  const known = /^(wasm|flow|prompt|builtin):/.test(item.handler);
  return { kind: kind as NewNode["kind"], name, ...(known && !item.handler.includes("MODULE") ? { handler: item.handler } : {}), fields: item.description && known && !item.handler.startsWith("builtin:") ? { description: item.description } : undefined };
}

/** By click or Enter: into the chosen wire, else beside the chosen node and connected to its first free port. */
export function addItem(item: PaletteItem): void {
  const { selectedEdge } = store.get();
  if (selectedEdge) return done(insertNew(newNode(item), selectedEdge), item);
  const from = source();
  const node = newNode(item);
  if (!from || node.kind === "trigger") return done(make(node, free(node.kind === "trigger")), item);
  const port = openPort(from);
  const place = beside(from, port);
  const wired = port ? wire(node, from, port, place) : "";
  done(wired || make(node, place), item);
}

export function addItemAt(item: PaletteItem, at: Point, edge: string): void {
  done(edge ? insertNew(newNode(item), edge, at) : make(newNode(item), at), item);
}

function make(node: NewNode, at: Point): string {
  return run({ op: "addNode", node }, (made) => (made.created[0] ? { [made.created[0]]: round(at) } : {}))?.created[0] ?? "";
}

/** Node and wire are one operation, so that one undo takes both back. */
function wire(node: NewNode, from: GNode, port: string, at: Point): string {
  const place = (one: { created: string[] }): Record<string, Point> => (one.created[0] ? { [one.created[0]]: round(at) } : {});
  return run({ op: "addNode", node, from: { source: from.id, port } }, place)?.created[0] ?? "";
}

function done(name: string, item: PaletteItem): void {
  if (!name) return;
  select([name]);
  store.set({ inspecting: true });
  showNode(name);
  focusNode(name);
  say(`${item.label} added as ${name}.`);
}

function round({ x, y }: Point): Point {
  return { x: Math.round(x / 8) * 8, y: Math.round(y / 8) * 8 };
}

/** The node that a new one is wired to: the chosen one, else the only one without a way out. */
function source(): GNode | undefined {
  const { graph } = store.get();
  const chosen = chosenNodes();
  if (chosen.length === 1) return graph.nodes.find((node) => node.id === chosen[0]);
  const ends = graph.nodes.filter((node) => openPort(node) && node.kind !== "output");
  return chosen.length === 0 && ends.length === 1 ? ends[0] : undefined;
}

function openPort(node: GNode): string {
  const { edges } = store.get().graph;
  const own = edges.filter((edge) => edge.source === node.id);
  return portsWith(node, own).find((port) => !own.some((edge) => edge.sourcePort === port.id))?.id ?? "";
}

function beside(from: GNode, port: string): Point {
  const { graph, canvas } = store.get();
  const places = placed(graph, canvas);
  const at = places[from.id] ?? { x: 0, y: 0 };
  const shape = shapeOf(from);
  const index = Math.max(0, shape.ports.findIndex((one) => one.id === port));
  const y = from.kind === "trigger" ? at.y + 8 : at.y + index * 88;
  return clear({ x: at.x + shape.width + GAP + (from.kind === "trigger" ? 24 : 0), y });
}

/** The same place, or the next one below that no other node takes. */
export function clear(at: Point): Point {
  const { graph, canvas } = store.get();
  const places = placed(graph, canvas);
  let { y } = at;
  const taken = (): boolean => graph.nodes.some((node) => {
    const other = places[node.id];
    return other !== undefined && other.x < at.x + 200 && at.x < other.x + shapeOf(node).width + 24 && other.y < y + 76 && other.y + shapeOf(node).height + 24 > y;
  });
  for (let tries = 0; tries < 40 && taken(); tries += 1) y += 40;
  return { x: at.x, y };
}

function free(start: boolean): Point {
  const { graph, canvas } = store.get();
  const places = Object.values(placed(graph, canvas));
  if (!places.length) return { x: 0, y: 0 };
  if (!start) return clear(view.middle());
  return clear({ x: Math.min(...places.map((place) => place.x)), y: Math.max(...places.map((place) => place.y)) + 120 });
}
