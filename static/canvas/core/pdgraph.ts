// The graph in a .pdflow: which wires carry messages, what hangs inside what. Judged as the server does.
import { isMap } from "./scalar.ts";

export interface PdNode { id: string; type: string; parent: string; docked: string; data: Record<string, unknown>; raw: Record<string, unknown> }
/** `out` and `into` are the handles, "" when they are not told. */
export interface PdEdge { source: string; target: string; out: string; into: string }
export interface PdGraph { nodes: Map<string, PdNode>; edges: PdEdge[] }

export const SETTINGS = ["provider", "error-handler", "connection"];
const WATCHERS = ["callback", "checkpoint"];
const INERT_SOURCES = ["onError", "onCheckpoint", "onProgress", "toolResult", "tools", "ai-output", "onExecute"];
const INERT_TARGETS = ["toolResult", "ai-input", "memory"];

export const string = (value: unknown): string => (typeof value === "string" ? value : "");

export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

export function readPd(flow: Record<string, unknown>): PdGraph {
  const graph: PdGraph = { nodes: new Map(), edges: [] };
  const seen = new Set<string>();
  for (const raw of records(flow.nodes)) {
    const [id, type] = [string(raw.id), string(raw.type)];
    if (!id || !type || id.includes(":") || seen.has(id.toLowerCase())) continue;
    seen.add(id.toLowerCase());
    const data = isMap(raw.data) ? raw.data : {};
    graph.nodes.set(id, { id, type, parent: string(raw.parentId), docked: isMap(data.dockedTo) ? string(data.dockedTo.nodeId) : "", data, raw });
  }
  for (const raw of records(flow.edges)) {
    const [source, target] = [string(raw.source), string(raw.target)];
    if (graph.nodes.has(source) && graph.nodes.has(target)) graph.edges.push({ source, target, out: string(raw.sourceHandle), into: string(raw.targetHandle) });
  }
  return graph;
}

function carries({ out, into }: PdEdge): boolean {
  return !INERT_SOURCES.includes(out) && !INERT_TARGETS.includes(into);
}

export function leaving(graph: PdGraph, id: string): PdEdge[] {
  return graph.edges.filter((edge) => edge.source === id && carries(edge));
}

export function coming(graph: PdGraph, id: string): PdEdge[] {
  return graph.edges.filter((edge) => edge.target === id && carries(edge));
}

export function children(graph: PdGraph, id: string): PdNode[] {
  return [...graph.nodes.values()].filter((node) => node.parent === id);
}

/** A checkpoint beside the way of messages. */
export function watches(node: PdNode, graph: PdGraph): boolean {
  return WATCHERS.includes(node.type) && (node.docked !== "" || coming(graph, node.id).length === 0);
}

/** Where its messages go; what goes back to the loop around it is an answer, not a wire. */
export function successors(node: PdNode, graph: PdGraph): string[] {
  const found = leaving(graph, node.id).map((edge) => reached(edge, node, graph)).filter(Boolean);
  const parent = graph.nodes.get(node.parent);
  if (parent?.type === "parallel" && ends(parent, graph).includes(node.id)) found.push(gathering(parent));
  return [...new Set(found)];
}

function reached(edge: PdEdge, node: PdNode, graph: PdGraph): string {
  const target = graph.nodes.get(edge.target)!;
  if (edge.into === "loop-end" || (edge.target === node.parent && target.type === "loop")) return "";
  if (target.type === "parallel" && (edge.into.startsWith("fork-") || edge.target === node.parent)) return gathering(target);
  return SETTINGS.includes(target.type) || target.type === "trigger" || watches(target, graph) ? "" : edge.target;
}

/** The join in which the branches of a parallel node come together. */
export function gathering(node: PdNode): string {
  return `${node.id}.join`;
}

export function gathers(node: PdNode, graph: PdGraph): boolean {
  return node.type === "parallel" && (coming(graph, node.id).some((edge) => edge.into.startsWith("fork-")) || inside(node, graph).length > 0);
}

function inside(node: PdNode, graph: PdGraph): PdNode[] {
  return children(graph, node.id).filter((one) => !watches(one, graph));
}

function ends(node: PdNode, graph: PdGraph): string[] {
  const back = new Set(coming(graph, node.id).map((edge) => edge.source));
  const own = new Set(inside(node, graph).map((one) => one.id));
  return [...own].filter((id) => !back.has(id) && !leaving(graph, id).some((edge) => own.has(edge.target)));
}

/** Where a parallel node sends: the forks, and the children that get from no other child. */
export function branches(node: PdNode, graph: PdGraph): string[] {
  if (!gathers(node, graph)) return successors(node, graph);
  const forks = leaving(graph, node.id).filter((edge) => edge.out.startsWith("fork-")).map((edge) => edge.target);
  const own = inside(node, graph).filter((one) => !WATCHERS.includes(one.type));
  const ids = new Set(inside(node, graph).map((one) => one.id));
  const heads = own.filter((one) => !coming(graph, one.id).some((edge) => ids.has(edge.source))).map((one) => one.id);
  return [...new Set([...forks, ...heads])];
}

export function afterGathering(node: PdNode, graph: PdGraph): string[] {
  const ids = new Set(inside(node, graph).map((one) => one.id));
  const after = leaving(graph, node.id).filter((edge) => !edge.out.startsWith("fork-")).map((edge) => edge.target);
  return [...new Set(after)].filter((id) => !ids.has(id));
}

/** The tools in the routers that hang on an agent, by a wire or docked. */
export function tools(node: PdNode, graph: PdGraph): string[] {
  const wired = new Set(graph.edges.filter((edge) => edge.source === node.id).map((edge) => edge.target));
  const routers = [...graph.nodes.values()].filter((one) => one.type === "tool-call-router" && (one.docked === node.id || wired.has(one.id)));
  return routers.flatMap((router) => children(graph, router.id).filter((one) => one.type === "tool").map((one) => one.id));
}
