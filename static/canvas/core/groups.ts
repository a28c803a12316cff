// Frames around nodes: a name and its members, kept with the canvas; where a frame stands follows from its members.
import type { CanvasState, GEdge, GNode, Graph, Group, Positions, Size } from "./types.ts";

export interface Frame extends Size { id: string; name: string; members: string[]; collapsed: boolean; x: number; y: number }

const PADDING = 24;
const HEAD = 32;
const BOX: Size = { width: 224, height: 52 };
export const GROUP = "group:";

/** A node is in one group at most; a group that lost its last member is gone. */
export function group(canvas: CanvasState, names: readonly string[]): { canvas: CanvasState; id: string } {
  const groups = without(canvas.groups ?? {}, new Set(names));
  let number = Object.keys(groups).length + 1;
  while (`g${number}` in groups) number += 1;
  const id = `g${number}`;
  return { canvas: { ...canvas, groups: { ...groups, [id]: { name: `Group ${number}`, members: [...names] } } }, id };
}

function without(groups: Record<string, Group>, names: ReadonlySet<string>): Record<string, Group> {
  const left = Object.entries(groups).map(([id, one]) => [id, { ...one, members: one.members.filter((name) => !names.has(name)) }] as const);
  return Object.fromEntries(left.filter(([, one]) => one.members.length));
}

/** The frames go, their nodes stay. */
export function ungroup(canvas: CanvasState, ids: readonly string[]): CanvasState {
  const gone = new Set(ids);
  return { ...canvas, groups: Object.fromEntries(Object.entries(canvas.groups ?? {}).filter(([id]) => !gone.has(id))) };
}

export function groupsOf(canvas: CanvasState, names: readonly string[]): string[] {
  return Object.entries(canvas.groups ?? {}).filter(([, one]) => one.members.some((name) => names.includes(name))).map(([id]) => id);
}

/** What the canvas kept may be anybody's file: what is no group is not drawn. */
export function frames(canvas: CanvasState, places: Positions, sizes: ReadonlyMap<string, Size>): Frame[] {
  return Object.entries(canvas.groups ?? {}).flatMap(([id, one]) => {
    const members = Array.isArray(one?.members) ? one.members.filter((name) => Object.hasOwn(places, name) && sizes.has(name)) : [];
    if (!members.length) return [];
    const left = Math.min(...members.map((name) => places[name]!.x)) - PADDING;
    const top = Math.min(...members.map((name) => places[name]!.y)) - PADDING - HEAD;
    const right = Math.max(...members.map((name) => places[name]!.x + sizes.get(name)!.width)) + PADDING;
    const bottom = Math.max(...members.map((name) => places[name]!.y + sizes.get(name)!.height)) + PADDING;
    const common = { id, name: String(one.name ?? ""), members, collapsed: one.collapsed === true };
    return [common.collapsed ? { ...common, x: left + PADDING, y: top + PADDING + HEAD, ...BOX } : { ...common, x: left, y: top, width: right - left, height: bottom - top }];
  });
}

export function collapse(canvas: CanvasState, ids: readonly string[], collapsed: boolean): CanvasState {
  const groups = Object.entries(canvas.groups ?? {}).map(([id, one]) => [id, ids.includes(id) ? { name: one.name, members: one.members, ...(collapsed ? { collapsed } : {}) } : one] as const);
  return { ...canvas, groups: Object.fromEntries(groups) };
}

/** As it is drawn: for each collapsed group one node, which has the wires of its members to others. */
export function folded(graph: Graph, all: readonly Frame[]): Graph {
  const closed = all.filter((frame) => frame.collapsed);
  if (!closed.length) return graph;
  const home = new Map(closed.flatMap((frame) => frame.members.map((name) => [name, GROUP + frame.id] as const)));
  const edges = new Map(graph.edges.flatMap((edge) => foldedEdge(edge, home)).map((edge) => [edge.id, edge] as const));
  return { ...graph, nodes: [...graph.nodes.filter((node) => !home.has(node.id)), ...closed.map(boxOf)], edges: [...edges.values()] };
}

function foldedEdge(edge: GEdge, home: ReadonlyMap<string, string>): GEdge[] {
  const source = home.get(edge.source) ?? edge.source;
  const target = home.get(edge.target) ?? edge.target;
  if (source === edge.source && target === edge.target) return [edge];
  const sourcePort = source === edge.source ? edge.sourcePort : "peer";
  return source === target ? [] : [{ id: `${source}>${sourcePort}>${target}`, source, sourcePort, target }];
}

function boxOf({ id, name }: Frame): GNode {
  return { id: GROUP + id, name, kind: "flow", label: name, handler: "", description: "", options: {}, fields: {}, disabled: false, range: [0, 0], line: 0, column: 0, ports: ["peer"], readOnly: true };
}

const MARK = "# group ";

/** Whole groups among copied nodes, as comments above them. */
export function groupMarks(canvas: CanvasState, ids: readonly string[]): string {
  const whole = Object.values(canvas.groups ?? {}).filter((one) => one.members.length && one.members.every((name) => ids.includes(name)));
  return whole.map((one) => `${MARK}${JSON.stringify([one.name, ...one.members])}\n`).join("");
}

/** The groups that those marks tell of, around the nodes that came to be; `from` says what each is a copy of. */
export function marked(canvas: CanvasState, marks: string, from: Readonly<Record<string, string>>): CanvasState {
  const copies = new Map(Object.entries(from).map(([id, model]) => [model, id]));
  return marks.split("\n").filter((line) => line.startsWith(MARK)).reduce((now, line) => {
    const [name, ...models] = words(line.slice(MARK.length));
    const names = models.flatMap((model) => copies.get(model) ?? []);
    if (!names.length) return now;
    const made = group(now, names);
    return { ...made.canvas, groups: { ...made.canvas.groups, [made.id]: { name: name || made.id, members: names } } };
  }, canvas);
}

function words(json: string): string[] {
  try {
    const found: unknown = JSON.parse(json);
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** After renames and removals in the text. */
export function followGroups(groups: Record<string, Group>, renamed: Record<string, string>, removed: readonly string[]): Record<string, Group> {
  const left = without(groups, new Set(removed));
  const now = (name: string): string => (Object.hasOwn(renamed, name) ? renamed[name]! : name);
  return Object.fromEntries(Object.entries(left).map(([id, one]) => [id, { ...one, members: one.members.map(now) }]));
}
