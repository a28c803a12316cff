// A .pdflow (JSON): drawn like any other flow, not edited here.
import { portsOf } from "./kinds.ts";
import { afterGathering, branches, gathering, gathers, readPd, string, successors, tools, type PdGraph, type PdNode } from "./pdgraph.ts";
import { drawnAs, type Drawn } from "./pdkinds.ts";
import { isMap } from "./scalar.ts";
import { lineStarts, placeOf } from "./splice.ts";
import type { GNode, Graph, Point, Problem } from "./types.ts";

export function looksLikePdflow(text: string): boolean {
  const head = text.slice(0, 2_000).trimStart();
  return head.startsWith("{") && /"(?:nodes|edges|metadata)"\s*:/.test(text) && !/"listeners"\s*:/.test(text);
}

export function parsePdflow(text: string): Graph {
  const graph: Graph = { dialect: "pdflow", title: "", description: "", nodes: [], edges: [], dangling: [], problems: [], broken: false, readOnly: true, positions: {} };
  let flow: unknown;
  try {
    flow = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (wrong) {
    return { ...graph, broken: true, problems: [syntax(text, String((wrong as Error).message))] };
  }
  if (!isMap(flow)) return { ...graph, broken: true, problems: [syntax(text, "a .pdflow is a JSON object")] };
  const about = isMap(flow.metadata) ? flow.metadata : {};
  graph.title = string(about.name) || string(about.id);
  graph.description = string(about.description);
  draw(readPd(flow), text, graph);
  return graph;
}

function syntax(text: string, message: string): Problem {
  const at = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
  return { severity: "error", ...placeOf(lineStarts(text), at), message, hint: "" };
}

function draw(pd: PdGraph, text: string, graph: Graph): void {
  const starts = lineStarts(text);
  const places = idPlaces(text);
  const all = [...pd.nodes.values()].map((node) => ({ node, drawn: drawnAs(node, pd) }));
  for (const { node, drawn } of all) {
    const at = places.get(node.id) ?? 0;
    graph.nodes.push(made(node, drawn, at, placeOf(starts, at)));
    graph.positions[node.id] = point(node.raw.position);
  }
  for (const { node } of all) lift(node, graph);
  for (const { node } of all) if (gathers(node, pd)) addGathering(node, graph);
  for (const { node, drawn } of all) wires(node, drawn, pd, graph);
}

/** Where each id is written, in one walk over the text. */
function idPlaces(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const match of text.matchAll(/"id"\s*:\s*("(?:[^"\\\n]|\\.)*")/g)) {
    const id = JSON.parse(match[1]!) as string;
    if (!found.has(id)) found.set(id, match.index + match[0].length - match[1]!.length);
  }
  return found;
}

function made(node: PdNode, { kind, options }: Drawn, at: number, place: { line: number; column: number }): GNode {
  const { id, data } = node;
  const disabled = data.disabled === true || data.enabled === false;
  return { id, name: id, kind, label: string(data.label) || id, handler: node.type, description: string(data.description), options, fields: node.raw, disabled, range: [at, at], ...place, ports: portsOf(kind, options), readOnly: true };
}

function point(value: unknown): Point {
  const at = isMap(value) ? value : {};
  return { x: Number(at.x) || 0, y: Number(at.y) || 0 };
}

/** Inside a parent, places count from it. */
function lift(node: PdNode, graph: Graph): void {
  const parent = graph.positions[node.parent];
  const own = graph.positions[node.id]!;
  if (parent) graph.positions[node.id] = { x: own.x + parent.x, y: own.y + parent.y };
}

function addGathering(node: PdNode, graph: Graph): void {
  const model = graph.nodes.find((one) => one.id === node.id)!;
  const at = graph.positions[node.id]!;
  const id = gathering(node);
  graph.nodes.push({ ...model, id, name: id, kind: "join", label: `${model.label} together`, handler: "parallel", options: { wait: "all" }, ports: portsOf("join", {}) });
  graph.positions[id] = { x: at.x + 280, y: at.y + 120 };
}

function wires(node: PdNode, { kind, options }: Drawn, pd: PdGraph, graph: Graph): void {
  const peers = kind === "branch" || kind === "loop" || kind === "output" ? [] : node.type === "parallel" ? branches(node, pd) : [...(kind === "agent" ? tools(node, pd) : []), ...successors(node, pd)];
  const found: [string, string][] = peers.map((to) => [kind === "trigger" ? "trigger" : "peer", to]);
  const cases = kind === "branch" ? (options.cases as { to: string }[]) : [];
  cases.forEach(({ to }, index) => found.push([`case ${index}`, to]));
  for (const port of kind === "branch" ? ["else"] : kind === "loop" ? ["body", "done"] : []) if (string(options[port])) found.push([port, string(options[port])]);
  const onError = fallback(node, pd);
  if (onError && kind !== "trigger") found.push(["error", onError]);
  add(graph, node.id, found);
  if (gathers(node, pd)) add(graph, gathering(node), afterGathering(node, pd).map((to) => ["peer", to]));
}

function add(graph: Graph, source: string, found: readonly [string, string][]): void {
  for (const [port, target] of new Map(found.map((wire) => [wire.join(">"), wire])).values()) graph.edges.push({ id: `${source}>${port}>${target}`, source, sourcePort: port, target });
}

/** The node that gets a failure, from the error handler that the node names. */
function fallback({ id, data }: PdNode, pd: PdGraph): string {
  const handler = pd.nodes.get(string(data.errorHandlerNodeId))?.data;
  if (!handler || !["fallback", "retry"].includes(string(handler.strategy)) || !isMap(handler.fallback)) return "";
  const to = string(handler.fallback.nodeId);
  return pd.nodes.has(to) && to !== id ? to : "";
}
