// What is wrong with a flow as far as its text alone tells; in the words of the server where both see it.
import { BUILTINS, toolName } from "./kinds.ts";
import { nameProblem } from "./names.ts";
import { entriesById, find, problem, type Entry, type Source } from "./source.ts";
import { placeOf } from "./splice.ts";
import { pairOf, real } from "./tree.ts";
import type { Dangling, GNode, Graph, Problem } from "./types.ts";

const MOST = 200;

export function check(source: Source, graph: Graph): Problem[] {
  const faults = source.faults.map((fault) => problem(source, fault.start, fault.message));
  const found = [...faults, ...(faults.length ? [] : root(source)), ...sections(source), ...keys(source), ...graph.dangling.map((one) => lost(one, graph)), ...executable(source, graph)];
  return found.sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MOST);
}

function root(source: Source): Problem[] {
  const pair = find(source.root, "organism");
  const map = real(pair?.at.value);
  if (map?.t === "map" && named(map)) return [];
  const hint = "a flow begins with organism: {name: my-flow}";
  return [problem(source, pair ? pair.base + pair.at.keyStart : 0, "not an organism: missing organism.name", hint)];
}

function named(map: Parameters<typeof pairOf>[0]): boolean {
  const value = real(pairOf(map, "name")?.value);
  return value?.t === "scalar" && value.value !== null && String(value.value).trim() !== "";
}

function sections(source: Source): Problem[] {
  const found = [...names(source, source.listeners.entries, "listener"), ...names(source, source.triggers.entries, "trigger")];
  const { node } = source.listeners;
  if (node && node.at.t === "scalar" && node.at.value !== null) found.push(problem(source, node.base + node.at.start, "'listeners' must be a list, or {directory, include}"));
  const triggers = source.triggers.node;
  if (triggers && triggers.at.t !== "seq" && !(triggers.at.t === "scalar" && triggers.at.value === null)) found.push(problem(source, triggers.base + triggers.at.start, "'triggers' must be a list"));
  return [...found, ...shared(source)];
}

function names(source: Source, entries: readonly Entry[], what: string): Problem[] {
  const first = new Map<string, number>();
  return entries.flatMap((entry) => {
    const at = entry.base + (entry.map ? nameStart(entry) : entry.item.start);
    if (!entry.map) return [problem(source, at, `a ${what} must be a mapping (name: value)`)];
    if (!entry.name) return [problem(source, at, `a ${what} needs 'name'`)];
    const here = problem(source, at, "");
    const before = first.get(entry.name.toLowerCase());
    if (before !== undefined) return [problem(source, at, `the ${what} '${entry.name}' is defined twice, first on line ${before}`, what === "listener" ? "names differ by more than capital letters" : "")];
    first.set(entry.name.toLowerCase(), here.line);
    const wrong = nameProblem(entry.name);
    return wrong ? [problem(source, at, `'${entry.name.slice(0, 60)}' cannot name a ${what}`, "a letter, then letters, digits, '.', '_' and '-', at most 100")] : [];
  });
}

function nameStart(entry: Entry): number {
  const pair = pairOf(entry.map!, "name");
  return pair?.value?.start ?? pair?.keyStart ?? entry.map!.start;
}

function shared(source: Source): Problem[] {
  const listeners = new Set(source.listeners.entries.map((entry) => entry.name.toLowerCase()));
  const both = source.triggers.entries.filter((entry) => entry.map && entry.name && listeners.has(entry.name.toLowerCase()));
  return both.map((entry) => problem(source, entry.base + nameStart(entry), `'${entry.name}' is a trigger and a listener`, "give them different names, to tell them apart on the canvas", "warning"));
}

/** The same key twice; readers disagree which one counts. */
function keys(source: Source): Problem[] {
  const found: Problem[] = [];
  const seen = new Set<string>();
  for (const { base, at } of source.root) {
    for (const pair of at.pairs) {
      if (seen.has(pair.key)) found.push(problem(source, base + pair.keyStart, `the key '${pair.key}' is there twice`));
      seen.add(pair.key);
    }
  }
  for (const entry of [...source.listeners.entries, ...source.triggers.entries]) {
    if (!entry.map || new Set(entry.map.pairs.map((pair) => pair.key)).size === entry.map.pairs.length) continue;
    const own = new Set<string>();
    for (const pair of entry.map.pairs) {
      if (own.has(pair.key)) found.push(problem(source, entry.base + pair.keyStart, `the key '${pair.key}' is there twice`));
      own.add(pair.key);
    }
  }
  return found;
}

const WHAT: Record<string, string> = { peer: "a peer", error: "'onError'", trigger: "'to'" };

function lost({ sourcePort, target, line, column }: Dangling, graph: Graph): Problem {
  const what = WHAT[sourcePort] ?? (sourcePort.startsWith("case ") ? "'to' of a case" : `'${sourcePort}'`);
  const names = graph.nodes.filter((node) => node.kind !== "trigger").map((node) => node.name);
  const near = names.find((name) => close(name.toLowerCase(), target.toLowerCase()));
  const message = `${what} names '${target}', but there is no such listener${near ? `, did you mean '${near}'?` : ""}`;
  return { severity: sourcePort === "peer" ? "warning" : "error", line, column, message, hint: "" };
}

/** One letter more, less or other, or two exchanged. */
function close(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || Math.min(a.length, b.length) < 3) return false;
  let from = 0;
  while (from < a.length && a[from] === b[from]) from += 1;
  const [x, y] = [a.slice(from), b.slice(from)];
  return x.slice(1) === y.slice(1) || x === y.slice(1) || x.slice(1) === y || (x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2));
}

const FORMS = "wasm:MODULE:FUNCTION, flow:NAME, prompt:ID or builtin:KIND";
const PYTHON = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?$/;

/** Nodes without anything that runs here, in the words and at the places of bundles/flowhandlers.py. */
function executable(source: Source, graph: Graph): Problem[] {
  if (!graph.nodes.some(unfinished)) return [];
  const entries = entriesById(source);
  return graph.nodes.filter(unfinished).map((node): Problem => {
    const entry = entries.get(node.id);
    const part = entry?.map && (pairOf(entry.map, "handler")?.value ?? entry.map);
    const at = part ? placeOf(source.starts, entry.base + part.start) : { line: node.line, column: node.column };
    return { ...at, ...saidOf(node) };
  });
}

function unfinished(node: GNode): boolean {
  return node.kind === "unbound" || node.handler === "builtin:code";
}

function saidOf({ name, handler }: GNode): Pick<Problem, "severity" | "message" | "hint"> {
  const tool = toolName(handler);
  const quoted = `'${handler.slice(0, 60)}'`;
  if (!handler) return { severity: "warning", message: `the listener '${name}' has no handler`, hint: `write handler: ${FORMS}` };
  if (handler === "builtin:code") return { severity: "warning", message: "this code block has no function yet", hint: "write handler: wasm:MODULE:FUNCTION" };
  if (handler.startsWith("builtin:")) return { severity: "error", message: `there is no builtin '${handler.slice(8, 68)}'${meant(handler.slice(8))}`, hint: `there are ${BUILTINS.join(", ")}` };
  if (!tool && !PYTHON.test(handler)) return { severity: "error", message: `${quoted} is not a handler`, hint: `a handler is ${FORMS}` };
  return { severity: "warning", message: `${tool ? `the tool '${tool}'` : `the Python handler ${quoted}`} does not run here: the node is drawn, not executable`, hint: `bind it to ${FORMS}` };
}

function meant(word: string): string {
  const near = BUILTINS.find((one) => close(one, word.toLowerCase()));
  return near ? `, did you mean '${near}'?` : "";
}
