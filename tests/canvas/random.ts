// Random flows and random edits from a seed: the same seed, the same flow.
import type { GNode, Graph, Op } from "../../static/canvas/core/types.ts";

export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 2654435761 + 12345) >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(of: number): boolean {
    return this.next() < of;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "fox", "golf", "hotel", "india", "yes", "no1", "Über", "node.a", "x-ray", "r2"];
const TEXTS = ["Plain words", "with: colon", "# no comment", "'quoted'", "\"double\"", "yes", "12", "1:30", "", " lead", "trail ", "two\nlines\n", "a, b", "[x]", "{y}", "ünï", "tab\tin", "null", "*star", "&amp", "- dash", "${payload.x}", "🙂", "line\n\n\nend", "  \n x"];
const HANDLERS = ["wasm:order:check", "flow:other", "prompt:ask", "builtin:http", "builtin:join", "builtin:output", "some.python.path", "builtin:map"];

interface Made { name: string; kind: string }

export function randomFlow(dice: Dice): string {
  const count = dice.below(9);
  const made: Made[] = Array.from({ length: count }, (_, index) => ({ name: `${dice.pick(WORDS)}${index}`, kind: dice.pick(["plain", "plain", "branch", "loop", "agent"]) }));
  const names = made.map((one) => one.name);
  const spaced = dice.chance(0.5) ? "\n" : "";
  const pad = dice.pick(["  ", "", "    "]);
  const head = dice.chance(0.5) ? `# A flow  \norganism: {name: ${dice.pick(WORDS)}, x-own: [1, 2]}\n${spaced}` : `organism:\n  name: "big flow"   # its name\n  x-unknown:\n    deep: yes\n${spaced}`;
  const triggers = names.length && dice.chance(0.6) ? `triggers:\n${Array.from({ length: 1 + dice.below(2) }, (_, i) => trigger(dice, `t${i}`, names)).join("")}${spaced}` : "";
  const tail = dice.chance(0.3) ? `${spaced}x-tail: {kept: true} # unknown\n# the end\n` : "";
  if (dice.chance(0.06)) return json(dice, made, names);
  let text = head + triggers + listeners(dice, made, names, pad, spaced) + tail;
  if (dice.chance(0.2)) text = text.replace(/\n/g, "\r\n");
  if (dice.chance(0.2)) text = text.replace(/\r?\n$/, "");
  return text;
}

/** The same in the other notation, on one line or on many. */
function json(dice: Dice, made: readonly Made[], names: readonly string[]): string {
  const listeners = made.map(({ name }) => ({ name, handler: dice.pick(HANDLERS), peers: some(dice, names), "x-k": { "a b": [1, null] } }));
  return JSON.stringify({ organism: { name: "q" }, listeners, "x-tail": { kept: true } }, null, dice.pick([0, 2])) + "\n";
}

function trigger(dice: Dice, name: string, names: readonly string[]): string {
  const to = dice.chance(0.8) ? dice.pick(names) : "";
  if (dice.chance(0.5)) return `  - {name: ${name}, type: webhook${to ? `, to: ${to}` : ""}}\n`;
  return `  - name: ${name}\n    type: schedule\n    every: 15m   # often\n${to ? `    to: ${to}\n` : ""}`;
}

function listeners(dice: Dice, made: readonly Made[], names: readonly string[], pad: string, spaced: string): string {
  if (!made.length) return dice.pick(["", "listeners:\n", "listeners: []\n", "listeners: # none yet\n"]);
  if (dice.chance(0.1)) return `listeners: [${made.map((one) => inline(dice, one, names)).join(", ")}]\n`;
  const items = made.map((one) => {
    const comment = dice.chance(0.4) ? `${dice.chance(0.2) ? "" : pad}# about ${one.name}${dice.chance(0.2) ? "\twith a\ttab" : ""}\n` : "";
    if (dice.chance(0.25)) return `${comment}${pad}- ${inline(dice, one, names)}${dice.chance(0.3) ? "  # trailing" : ""}\n`;
    const lines = block(dice, one, names, pad);
    return comment + (dice.chance(0.1) ? lines.replace("- name", `-${dice.chance(0.5) ? "   # alone" : ""}\n${pad}  name`) : lines);
  });
  return `listeners:\n${items.join(spaced)}`;
}

function inline(dice: Dice, { name, kind }: Made, names: readonly string[]): string {
  const options = kind === "branch" ? `, handler: "builtin:branch", with: {cases: [{if: "payload.a > 1", to: ${dice.pick(names)}}], else: ${dice.pick(names)}}` : kind === "loop" ? `, handler: 'builtin:loop', with: {over: payload.items, body: ${dice.pick(names)}}` : kind === "agent" ? ", agent: true" : `, handler: "${dice.pick(HANDLERS)}"`;
  return `{name: ${name}${options}${dice.chance(0.5) ? `, peers: [${some(dice, names).join(", ")}]` : ""}, x-k: 1}`;
}

function some(dice: Dice, names: readonly string[]): string[] {
  return [...new Set(Array.from({ length: dice.below(4) }, () => dice.pick(names)))];
}

function block(dice: Dice, { name, kind }: Made, names: readonly string[], pad: string): string {
  const lines = [`name: ${dice.chance(0.3) ? `"${name}"` : name}${dice.chance(0.3) ? "   # here" : ""}`];
  if (kind === "agent") lines.push("agent: true", "prompt: |", "  You decide.", "  - not a list: 1", "", "  # not a comment");
  else lines.push(`handler: ${kind === "plain" ? dice.pick(HANDLERS) : `builtin:${kind}`}`);
  if (dice.chance(0.4)) lines.push("description: >-", "  folded text", "  over lines");
  if (kind === "branch") lines.push("with:", "  cases:", ...some(dice, names).flatMap((to) => [`    - if: steps.${dice.pick(names).replace(/\W/g, "")}.n > 1  # why`, `      to: ${to}`]), "    - {if: 'true', to: " + dice.pick(names) + "}", `  else: ${dice.pick(names)}`);
  if (kind === "loop") lines.push("with:", "  over: payload.items", `  body: '${dice.pick(names)}'`, ...(dice.chance(0.5) ? [`  done: ${dice.pick(names)}`] : []));
  const peers = some(dice, names);
  if (peers.length && dice.chance(0.5)) lines.push("peers:", ...peers.map((peer) => `  - ${peer}${dice.chance(0.3) ? "   # wire" : ""}`));
  else if (peers.length) lines.push(`peers: [${peers.join(", ")}]`);
  if (dice.chance(0.3)) lines.push(`onError: ${dice.pick(names)}`);
  if (dice.chance(0.3)) lines.push("metadata: {owner: ops, list: [1, 'two']}", "# inner comment", "x-list:", "- same column", "- 2");
  return lines.map((line, index) => (line ? pad + (index ? "  " : "- ") + line : "")).join("\n") + "\n";
}

const PATHS = ["description", "retries", "timeout", "with.url", "with.headers.accept", "x-new", "metadata.owner", "metadata", "with.max", "prompt"];
const VALUES: readonly unknown[] = [...TEXTS, 3, 0.5, true, null, undefined, { a: 1, b: "two" }, ["x", "y"], {}, [], { deep: { list: [1, { k: "v" }] } }, [{ if: "true", to: "x" }]];

/** An operation that makes sense for this picture, though it may be refused. */
export function randomOp(dice: Dice, graph: Graph): Op {
  const listeners = graph.nodes.filter((node) => node.kind !== "trigger");
  if (!listeners.length || dice.chance(0.12)) return { op: "addNode", node: { kind: dice.pick(["http", "branch", "loop", "output", "agent", "code", "trigger", "join"] as const), fields: dice.chance(0.3) ? { description: dice.pick(TEXTS) } : {} }, ...(dice.chance(0.3) && listeners.length ? { after: dice.pick(listeners).id } : {}) };
  const node = dice.pick(graph.nodes);
  if (graph.nodes.length > 12 && dice.chance(0.4)) return { op: "removeNodes", names: [node.id] };
  const other = dice.pick(listeners);
  const edge = graph.edges.length ? dice.pick(graph.edges) : undefined;
  const wire = edge && { source: edge.source, port: edge.sourcePort, target: edge.target };
  switch (dice.below(11)) {
    case 0: return { op: "removeNodes", names: dice.chance(0.3) ? [node.id, other.id] : [node.id] };
    case 1: return { op: "renameNode", name: node.id, to: `${dice.pick(WORDS)}${dice.below(99)}` };
    case 2: return wire ? { op: "disconnect", wires: [wire] } : { op: "duplicate", names: [node.id] };
    case 3: return wire ? { op: "reconnect", wire, to: { ...wire, target: other.id } } : { op: "setDisabled", names: [node.id], disabled: true };
    case 4: return wire ? { op: "insertOnEdge", wire, node: dice.chance(0.5) ? { kind: "http" } : other.id } : { op: "duplicate", names: [node.id] };
    case 5: return { op: "duplicate", names: [...new Set([node.id, other.id])] };
    case 6: return { op: "setDisabled", names: [node.id], disabled: dice.chance(0.5) };
    case 7: case 8: return { op: "connect", wire: { source: node.id, port: port(dice, node), target: other.id } };
    default: return { op: "setField", name: node.id, path: dice.pick(PATHS), value: dice.pick(VALUES) };
  }
}

function port(dice: Dice, node: GNode): string {
  if (node.kind === "trigger") return "trigger";
  const wide = node.kind === "branch" ? [...node.ports, `case ${node.ports.length}`] : node.ports;
  return wide.length ? dice.pick(wide) : "peer";
}
