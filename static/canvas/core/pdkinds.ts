// What runs for a node of a .pdflow: its kind here, and the options that the picture needs.
import { children, coming, leaving, records, SETTINGS, string, tools, type PdGraph, type PdNode } from "./pdgraph.ts";
import type { Kind } from "./types.ts";

export interface Drawn { kind: Kind; options: Record<string, unknown> }
type Rule = (node: PdNode, graph: PdGraph) => Drawn;

const OURS: Record<string, Kind> = { wasm: "code", flow: "flow", prompt: "prompt" };

export function drawnAs(node: PdNode, graph: PdGraph): Drawn {
  const { data } = node;
  if (node.type === "trigger") return { kind: "trigger", options: { ...data, type: string(data.triggerType) || "manual" } };
  const own = string(data.handler) || string(data.to);
  if (own.trim()) return as(bound(own), data);
  return Object.hasOwn(RULES, node.type) ? RULES[node.type]!(node, graph) : as("unbound", data);
}

function as(kind: Kind, data: Record<string, unknown>): Drawn {
  return { kind, options: data };
}

function bound(handler: string): Kind {
  const scheme = handler.slice(0, handler.indexOf(":"));
  return Object.hasOwn(OURS, scheme) ? OURS[scheme]! : "unbound";
}

const always = (kind: Kind): Rule => ({ data }) => as(kind, data);

function condition(node: PdNode, graph: PdGraph): Drawn {
  const wires = new Map(leaving(graph, node.id).map((edge) => [edge.out, edge.target]));
  const listed = Array.isArray(node.data.conditions) && node.data.conditions.length ? node.data.conditions : node.data.branches;
  const cases = records(listed).map((one) => ({ if: string(one.expression), to: wires.get(`condition-${String(one.id)}`) ?? string(one.target) })).filter((one) => graph.nodes.has(one.to));
  const other = wires.get("default") ?? string(node.data.default);
  if (!cases.length) return as("unbound", node.data);
  return { kind: "branch", options: { ...node.data, cases, ...(graph.nodes.has(other) ? { else: other } : {}) } };
}

function loop(node: PdNode, graph: PdGraph): Drawn {
  const wires = leaving(graph, node.id);
  const starts = wires.filter((edge) => edge.out === "loop-start").map((edge) => edge.target);
  const done = wires.find((edge) => edge.out !== "loop-start")?.target ?? string(node.data.onComplete);
  const listed = Array.isArray(node.data.body) ? node.data.body.map(String) : [];
  const inside = children(graph, node.id).filter((one) => !SETTINGS.includes(one.type) && !one.docked).map((one) => one.id);
  const body = [...starts, ...listed, ...inside].find((id) => graph.nodes.has(id));
  if (!body) return as("unbound", node.data);
  return { kind: "loop", options: { ...node.data, over: string(node.data.items) || string(node.data.loopType), body, ...(graph.nodes.has(done) ? { done } : {}) } };
}

function transformer({ data }: PdNode): Drawn {
  const mode = string(data.mode) || "template";
  const text = mode === "expression" ? string(data.expression) || string(data.transform) : mode === "template" ? string(data.template) || string(data.transform) : "";
  return as(text ? "map" : "unbound", data);
}

function tool(node: PdNode): Drawn {
  const url = string(node.data.url) || string(node.data.httpUrl);
  if (node.data.toolType === "http") return as(url ? "http" : "unbound", { ...node.data, url });
  return as(bound(string(node.data.toolName)), node.data);
}

function watcher(node: PdNode, graph: PdGraph): Drawn {
  if (node.docked || !coming(graph, node.id).length) return as("unbound", node.data);
  return as(node.data.requireApproval === true ? "wait" : "map", node.data);
}

function prompt({ data }: PdNode): Drawn {
  return as(data.sourceType === "raw" || (!string(data.source) && string(data.rawPrompt)) ? "llm" : "prompt", data);
}

function memory({ data }: PdNode): Drawn {
  const mode = string(data.mode) || string(data.memoryType);
  const runs = ["", "kv"].includes(mode) && ["", "get", "set", "delete"].includes(string(data.operation)) && string(data.key) !== "";
  return as(runs ? "memory" : "unbound", data);
}

const RULES: Record<string, Rule> = {
  output: always("output"), parallel: always("map"), workflow: always("flow"), condition, loop, transformer, tool, prompt, memory,
  merge: ({ data }) => as(data.mode === "transform" ? "map" : "join", data),
  api: ({ data }) => as(string(data.url) || string(data.httpUrl) ? "http" : "unbound", data),
  agent: (node, graph) => as(tools(node, graph).length ? "agent" : "llm", node.data),
  callback: watcher, checkpoint: watcher, "user-input": always("wait"),
};
