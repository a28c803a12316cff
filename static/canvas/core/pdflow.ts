// A .pdflow (JSON): drawn like any other flow, not edited here.
import { isMap } from "./scalar.ts";
import { lineStarts, placeOf } from "./splice.ts";
import type { GEdge, GNode, Graph, Kind, Point, Problem } from "./types.ts";

const KINDS: Record<string, Kind> = {
  trigger: "trigger", output: "output", prompt: "llm", provider: "unbound", agent: "agent", "chat-agent": "agent", tool: "http", api: "http",
  "web-search": "http", condition: "branch", loop: "loop", merge: "join", parallel: "join", transformer: "map", code: "code", workflow: "flow",
  memory: "memory", "user-input": "wait", callback: "unbound",
};

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
  nodes(flow, text, graph);
  edges(flow, graph);
  return graph;
}

function syntax(text: string, message: string): Problem {
  const at = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
  return { severity: "error", ...placeOf(lineStarts(text), at), message, hint: "" };
}

const string = (value: unknown): string => (typeof value === "string" ? value : "");

function nodes(flow: Record<string, unknown>, text: string, graph: Graph): void {
  const starts = lineStarts(text);
  const seen = new Set<string>();
  for (const node of list(flow.nodes)) {
    const id = string(node.id);
    if (!id || seen.has(id)) continue;
    seen.add(id);
    const at = Math.max(0, text.indexOf(`"id": ${JSON.stringify(id)}`));
    graph.nodes.push(drawn(node, id, { at, ...placeOf(starts, at) }));
    graph.positions[id] = point(node.position);
  }
  for (const node of list(flow.nodes)) lift(node, graph);
}

function drawn(node: Record<string, unknown>, id: string, { at, line, column }: { at: number; line: number; column: number }): GNode {
  const data = isMap(node.data) ? node.data : {};
  const type = string(node.type);
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type]! : "unbound";
  const options = kind === "trigger" ? { ...data, type: string(data.triggerType) || "manual" } : data;
  return {
    id, name: id, kind, label: string(data.label) || id, handler: type, description: string(data.description), options, fields: node,
    disabled: data.disabled === true, range: [at, at], line, column, ports: ports(kind, data), readOnly: true,
  };
}

function ports(kind: Kind, data: Record<string, unknown>): string[] {
  if (kind === "trigger") return ["trigger"];
  if (kind === "output") return [];
  if (kind === "loop") return ["body", "done", "error"];
  if (kind === "branch") return [...list(data.conditions).map((_, index) => `case ${index}`), "else", "error"];
  return ["peer", "error"];
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

function point(value: unknown): Point {
  const at = isMap(value) ? value : {};
  return { x: Number(at.x) || 0, y: Number(at.y) || 0 };
}

/** Inside a parent, places count from it. */
function lift(node: Record<string, unknown>, graph: Graph): void {
  const parent = graph.positions[string(node.parentId)];
  const own = graph.positions[string(node.id)];
  if (parent && own) graph.positions[string(node.id)] = { x: own.x + parent.x, y: own.y + parent.y };
}

function edges(flow: Record<string, unknown>, graph: Graph): void {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const seen = new Set<string>();
  for (const edge of [...list(flow.edges), ...list(flow.connections)]) {
    const [source, target] = [byId.get(string(edge.source)), string(edge.target)];
    if (!source) continue;
    const port = portOf(source, string(edge.sourceHandle));
    const made: GEdge = { id: `${source.id}>${port}>${target}`, source: source.id, sourcePort: port, target };
    if (seen.has(made.id)) continue;
    seen.add(made.id);
    if (byId.has(target)) graph.edges.push(made);
    else graph.dangling.push({ ...made, line: source.line, column: source.column });
  }
}

function portOf(source: GNode, handle: string): string {
  if (/^onError|error/i.test(handle)) return "error";
  if (source.kind === "trigger") return "trigger";
  if (source.kind === "loop") return handle === "loop-end" || handle === "output" || handle === "" ? "done" : "body";
  if (source.kind !== "branch") return "peer";
  const index = list(source.options.conditions).findIndex((one) => handle === `condition-${string(one.id)}`);
  return index < 0 ? "else" : `case ${index}`;
}
