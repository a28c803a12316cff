// How large a node is and where its ports sit; the layout and the drawing share these figures.
import type { GEdge, GNode } from "../core";

export interface Port {
  id: string;
  label: string;
  y: number;
  tone: "plain" | "else" | "error";
}

export interface Shape {
  width: number;
  height: number;
  ports: Port[];
}

export const HEAD = 52;
const ROW = 24;
const WIDTH = 224;
/** Its middle lies a step of the grid below that of a card's head, so that a level wire can lead there. */
export const CIRCLE = 68;
const ROWS_FROM = HEAD + 4 + ROW / 2;

/** The ports of a node beside its error port, from top to bottom. */
function named(node: GNode): Omit<Port, "y">[] {
  if (node.kind === "branch") return branchPorts(node);
  if (node.kind === "loop") return [{ id: "done", label: "done", tone: "else" }, { id: "body", label: "each", tone: "plain" }];
  if (node.kind === "note" || node.kind === "output") return [];
  return [{ id: node.kind === "trigger" ? "trigger" : "peer", label: "", tone: "plain" }];
}

function branchPorts(node: GNode): Omit<Port, "y">[] {
  const cases = Array.isArray(node.options.cases) ? (node.options.cases as { if?: unknown }[]) : [];
  const ports: Omit<Port, "y">[] = cases.map((one, index) => ({ id: `case ${index}`, label: String(one?.if ?? "…"), tone: "plain" }));
  return [...ports, { id: "else", label: "else", tone: "else" }];
}

function rows(node: GNode): boolean {
  return node.kind === "branch" || node.kind === "loop";
}

export function shapeOf(node: GNode): Shape {
  if (node.kind === "note") return { width: 200, height: 104, ports: [] };
  if (node.kind === "trigger") return { width: CIRCLE, height: CIRCLE, ports: [{ id: "trigger", label: "", y: CIRCLE / 2, tone: "plain" }] };
  const list = named(node);
  const ports = list.map((port, index): Port => ({ ...port, y: rows(node) ? ROWS_FROM + index * ROW : HEAD / 2 }));
  return { width: WIDTH, height: rows(node) ? HEAD + 8 + list.length * ROW : HEAD, ports };
}

/** A node that answers may still be given a peer: outputs show the port only when a wire hangs on it. */
export function portsWith(node: GNode, edges: readonly GEdge[]): Port[] {
  const { ports } = shapeOf(node);
  const known = new Set(ports.map((port) => port.id));
  const more = new Set(edges.filter((edge) => edge.sourcePort !== "error" && !known.has(edge.sourcePort)).map((edge) => edge.sourcePort));
  return [...ports, ...[...more].map((id): Port => ({ id, label: "", y: HEAD / 2, tone: "plain" }))];
}

export function hasInput(node: GNode): boolean {
  return node.kind !== "trigger" && node.kind !== "note";
}

export function hasError(node: GNode): boolean {
  return node.kind !== "trigger" && node.kind !== "note" && node.kind !== "output";
}

export const TITLES: Record<string, string> = {
  trigger: "Trigger", agent: "Agent", llm: "LLM call", http: "HTTP request", code: "Code block", branch: "Conditional", loop: "Loop",
  output: "Output", join: "Join", map: "Map", filter: "Filter", delay: "Delay", wait: "Wait", memory: "Memory", sensor: "Sensor",
  flow: "Flow", prompt: "Prompt", unbound: "Not executable", note: "Note",
};
