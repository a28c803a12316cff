// The graph as React Flow wants it; what did not change stays the same object, so nothing else is drawn again.
import { Position, type NodeHandle } from "@xyflow/react";
import { GROUP, type Frame, type GEdge, type GNode, type Graph } from "../core";
import type { Note, Point } from "./data";
import type { FlowNodeType, NodeData } from "./FlowNode";
import { GROUP_HANDLE, type GroupNodeType } from "./GroupNode";
import type { NoteNodeType } from "./NoteNode";
import { lanesOf } from "./lanes";
import type { Lane } from "./route";
import { CIRCLE, hasError, hasInput, portsWith, shapeOf, type Port, type Shape } from "./shape";
import type { Problem } from "./http";
import { linesOf, problemsOf } from "./problems";
import type { WireType } from "./Wire";

export type AnyNode = FlowNodeType | NoteNodeType | GroupNodeType;
const HANDLE = 10;
export const NOTE = "note:";

export interface Scene {
  graph: Graph;
  places: Record<string, Point>;
  notes: Record<string, Note>;
  pins: Record<string, unknown>;
  frames: readonly Frame[];
  problems: readonly Problem[];
  selected: readonly string[];
  text: string;
}

export function drawNodes(scene: Scene, before: readonly AnyNode[]): AnyNode[] {
  const old = new Map(before.map((node) => [node.id, node]));
  const chosen = new Set(scene.selected);
  const worst = worstByNode(scene);
  const outgoing = groupBySource(scene.graph);
  const nodes = scene.graph.nodes.filter((node) => !node.id.startsWith(GROUP)).map((node) => {
    const data: NodeData = { node, ports: portsWith(node, outgoing.get(node.id) ?? []), worst: worst.get(node.id) ?? "", pinned: node.id in scene.pins };
    return drawn(data, scene.places[node.id] ?? { x: 0, y: 0 }, chosen.has(node.id), old.get(node.id) as FlowNodeType | undefined);
  });
  const notes = Object.entries(scene.notes).map(([id, note]) => drawnNote(id, note, chosen.has(NOTE + id), old.get(NOTE + id) as NoteNodeType | undefined));
  const boxes = scene.frames.map((frame) => drawnFrame(frame, chosen.has(GROUP + frame.id), old.get(GROUP + frame.id) as GroupNodeType | undefined));
  return [...boxes, ...notes, ...nodes];
}

function drawnFrame(frame: Frame, selected: boolean, old: GroupNodeType | undefined): GroupNodeType {
  const position = { x: frame.x, y: frame.y };
  if (old && Boolean(old.selected) === selected && near(old.position, position) && JSON.stringify(old.data.frame) === JSON.stringify(frame)) return old;
  const size = { width: frame.width, height: frame.height };
  const ariaLabel = `Group ${frame.name}, ${frame.members.length} nodes${frame.collapsed ? ", collapsed" : ""}`;
  return { ...old, id: GROUP + frame.id, type: "frame", position, data: { frame }, selected, ...size, measured: size, handles: frame.collapsed ? sides(frame) : [], zIndex: frame.collapsed ? 0 : -2, dragHandle: `.${GROUP_HANDLE}`, ariaLabel };
}

function sides({ width }: Frame): NodeHandle[] {
  const size = { width: HANDLE, height: HANDLE };
  const y = 26 - HANDLE / 2;
  return [{ id: "in", type: "target", position: Position.Left, x: -HANDLE / 2, y, ...size }, { id: "peer", type: "source", position: Position.Right, x: width - HANDLE / 2, y, ...size }];
}

function drawn(data: NodeData, place: Point, selected: boolean, old: FlowNodeType | undefined): FlowNodeType {
  const kept = old && same(old.data, data) ? old.data : data;
  if (old && kept === old.data && Boolean(old.selected) === selected && near(old.position, place)) return old;
  const shape = shapeOf(data.node);
  const size = { width: shape.width, height: shape.height };
  return { ...old, id: data.node.id, type: "flow", position: place, data: kept, selected, ...size, measured: size, handles: handles(data, shape), ariaLabel: spoken(data) };
}

function drawnNote(id: string, note: Note, selected: boolean, old: NoteNodeType | undefined): NoteNodeType {
  if (old && old.data.note === note && Boolean(old.selected) === selected) return old;
  const size = { width: note.width, height: note.height };
  return { ...old, id: NOTE + id, type: "note", position: { x: note.x, y: note.y }, data: { id, note }, selected, ...size, measured: size, zIndex: -1, ariaLabel: `Note: ${note.text}` };
}

function near(a: Point, b: Point): boolean {
  return a.x === b.x && a.y === b.y;
}

function same(a: NodeData, b: NodeData): boolean {
  return a.worst === b.worst && a.pinned === b.pinned && (a.node === b.node || alike(a.node, b.node)) && samePorts(a.ports, b.ports);
}

const DRAWN = ["kind", "label", "handler", "description", "disabled", "readOnly"] as const;

/** Equal in what is drawn; where they stand in the text is not. The core keeps the options of what did not change. */
function alike(a: GNode, b: GNode): boolean {
  return DRAWN.every((key) => a[key] === b[key]) && (a.options === b.options || JSON.stringify(a.options) === JSON.stringify(b.options));
}

function samePorts(a: readonly Port[], b: readonly Port[]): boolean {
  return a.length === b.length && a.every((port, index) => port.id === b[index]!.id && port.label === b[index]!.label && port.y === b[index]!.y);
}

function spoken({ node, ports, worst }: NodeData): string {
  const many = ports.length > 1 ? `, ${ports.length} ways out` : "";
  return `${node.label}, ${node.kind}${node.disabled ? ", disabled" : ""}${worst ? `, has ${worst === "error" ? "an error" : "a warning"}` : ""}${many}`;
}

function handles({ node, ports }: NodeData, shape: Shape): NodeHandle[] {
  const half = HANDLE / 2;
  const size = { width: HANDLE, height: HANDLE };
  const list: NodeHandle[] = ports.map((port: Port) => ({ id: port.id, type: "source", position: Position.Right, x: shape.width - half, y: port.y - half, ...size }));
  if (hasInput(node)) list.push({ id: "in", type: "target", position: Position.Left, x: -half, y: 26 - half, ...size });
  if (hasError(node)) list.push({ id: "error", type: "source", position: Position.Bottom, x: CIRCLE / 2 - half, y: shape.height - half, ...size });
  return list;
}

function groupBySource(graph: Graph): Map<string, Graph["edges"]> {
  const found = new Map<string, Graph["edges"]>();
  for (const edge of graph.edges) {
    const list = found.get(edge.source);
    if (list) list.push(edge);
    else found.set(edge.source, [edge]);
  }
  return found;
}

function worstByNode({ graph, problems, text }: Scene): Map<string, "error" | "warning"> {
  const found = new Map<string, "error" | "warning">();
  if (!problems.length) return found;
  const lines = linesOf(graph, text);
  for (const node of graph.nodes) {
    const own = problemsOf(node, lines, problems);
    if (own.length) found.set(node.id, own.some((problem) => problem.severity === "error") ? "error" : "warning");
  }
  return found;
}

export function drawEdges(graph: Graph, places: Record<string, Point>, selected: string, before: readonly WireType[]): WireType[] {
  const old = new Map(before.map((edge) => [edge.id, edge]));
  const back = returning(graph);
  const lanes = lanesOf({ ...graph, edges: [...graph.edges, ...back] }, places);
  const drawn = graph.edges.map((edge) => {
    const kept = old.get(edge.id);
    const lane = lanes.get(edge.id);
    return kept && unchanged(kept, edge, selected === edge.id) && sameLane(kept.data?.lane, lane) ? kept : wire(edge, selected === edge.id, lane);
  });
  return [...drawn, ...back.map((edge) => answer(edge, lanes.get(edge.id)))];
}

function sameLane(a: Lane | undefined, b: Lane | undefined): boolean {
  return a?.y === b?.y && a?.from === b?.from && a?.to === b?.to && a?.out?.x === b?.out?.x && a?.out?.y === b?.out?.y;
}

function unchanged(kept: WireType, edge: GEdge, selected: boolean): boolean {
  return kept.source === edge.source && kept.target === edge.target && kept.sourceHandle === edge.sourcePort && Boolean(kept.selected) === selected;
}

function wire(edge: GEdge, selected: boolean, lane: Lane | undefined): WireType {
  const name = edge.sourcePort === "peer" || edge.sourcePort === "trigger" ? "" : ` by ${edge.sourcePort}`;
  return {
    id: edge.id, type: "wire", source: edge.source, sourceHandle: edge.sourcePort, target: edge.target, targetHandle: "in", selected,
    data: { port: edge.sourcePort, implicit: false, lane }, ariaLabel: `Wire from ${edge.source}${name} to ${edge.target}`,
    ...(edge.source.startsWith(GROUP) || edge.target.startsWith(GROUP) ? FIXED : {}),
  };
}

/** Drawn, and changed elsewhere. */
const FIXED = { selectable: false, focusable: false, reconnectable: false };

function answer({ id, source, target }: GEdge, lane: Lane | undefined): WireType {
  return { id, type: "wire", source, target, sourceHandle: "peer", targetHandle: "in", data: { port: "peer", implicit: true, lane }, ...FIXED, ariaLabel: `${source} answers back to ${target}` };
}

/** The last nodes of a loop's body, which answer back to their loop though no wire is written. */
function returning(graph: Graph): GEdge[] {
  const outgoing = groupBySource(graph);
  return graph.edges.filter((edge) => edge.sourcePort === "body").flatMap((edge) => lastOf(edge.target, edge.source, outgoing).map((source) => ({ id: `back ${source} ${edge.source}`, source, sourcePort: "peer", target: edge.source })));
}

function lastOf(first: string, loop: string, outgoing: Map<string, Graph["edges"]>): string[] {
  const seen = new Set([loop]);
  const open = [first];
  const last: string[] = [];
  while (open.length) {
    const name = open.pop()!;
    if (seen.has(name)) continue;
    seen.add(name);
    const ways = (outgoing.get(name) ?? []).filter((edge) => edge.sourcePort !== "error");
    if (!ways.length) last.push(name);
    open.push(...ways.map((edge) => edge.target));
  }
  return last;
}
