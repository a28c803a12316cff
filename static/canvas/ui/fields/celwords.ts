// Completion in expressions: the root names, the functions, and the fields that the last run really had.
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { FunctionSpec } from "../data";
import { stepsOf } from "../lights";
import { store } from "../state";
import { plain } from "../words";

const spec = (): readonly FunctionSpec[] => store.get().data.functions ?? [];
const rootNames = (): readonly FunctionSpec[] => spec().filter((one) => one.kind === "name");
/** `list.map(x, …)` stands behind a value, `math.round(x)` and `size(x)` stand alone. */
const BEHIND = /^(?!math\.)\w+\.\w+\(/;
const PATH = /[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*|\[\d+\])*\.?\w*$/;

export function celWords(node: string, bare: boolean, secrets: boolean) {
  return (context: CompletionContext): CompletionResult | null => {
    const before = context.state.sliceDoc(0, context.pos);
    const opened = before.lastIndexOf("${");
    if (!bare && (opened < 0 || before.slice(opened).includes("}"))) return offerHole(context, before);
    const path = PATH.exec(bare ? before : before.slice(opened + 2))?.[0] ?? "";
    if (!path && !context.explicit) return null;
    const dot = path.lastIndexOf(".");
    const word = path.slice(dot + 1);
    return { from: context.pos - word.length, options: dot < 0 ? roots(secrets) : members(node, path.slice(0, dot)), validFor: /^\w*$/ };
  };
}

function offerHole(context: CompletionContext, before: string): CompletionResult | null {
  if (!context.explicit && !before.endsWith("$")) return null;
  const from = before.endsWith("$") ? context.pos - 1 : context.pos;
  return { from, options: rootNames().filter(({ name }) => name !== "secret").map(({ name, doc }) => ({ label: `\${${name}}`, detail: doc, type: "variable" })), filter: false };
}

function roots(secrets: boolean): Completion[] {
  const names = rootNames().filter(({ name }) => secrets || name !== "secret").map(({ name, doc }): Completion => ({ label: name, detail: doc, type: "variable", boost: 2 }));
  return [...names, ...called("function")];
}

/** The functions that the server knows, in one style of calling. */
function called(style: "function" | "method"): Completion[] {
  const all = spec().filter((one) => one.kind !== "name" && one.kind !== "operator");
  return all.filter((one) => fits(one, style)).map((one): Completion => ({ label: one.name, detail: one.signature.replace(/^\w*\./, style === "method" ? "." : "$&"), info: one.doc || undefined, type: style, apply: `${one.name}(` }));
}

/** A method whose signature begins with its own name can be called either way. */
function fits({ kind, signature }: FunctionSpec, style: "function" | "method"): boolean {
  const behind = kind === "method" || (kind === "macro" && BEHIND.test(signature));
  return style === "method" ? behind : !behind || !BEHIND.test(signature);
}

/** What stands behind a dot: real fields of the last run first, then methods of any value. */
function members(node: string, path: string): Completion[] {
  const value = valueAt(node, path.split(/[.[\]]/).filter(Boolean));
  const fields = value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value as Record<string, unknown>) : [];
  const methods = typeof value === "number" || typeof value === "boolean" ? [] : called("method");
  return [...fields.map(([label, one]): Completion => ({ label, detail: preview(one), type: "property", boost: 3 })), ...methods, ...called("function").filter((one) => one.label.startsWith(`${path}.`)).map((one) => ({ ...one, label: one.label.slice(path.length + 1), apply: `${one.label.slice(path.length + 1)}(` }))];
}

function preview(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}

/** What the last run, or the pinned test data, holds at a path that begins with a root name. */
export function valueAt(node: string, [root, ...rest]: string[]): unknown {
  let value: unknown = root === undefined ? undefined : rootValue(node, root);
  for (const key of rest) value = value && typeof value === "object" ? (value as Record<string, unknown>)[key] : undefined;
  return value;
}

function rootValue(node: string, root: string): unknown {
  const { run, inputs, graph } = store.get();
  if (root === "payload") return inputs[node] ?? plain(stepsOf(run, node).at(-1)?.input ?? feeding(node));
  if (root === "steps") return Object.fromEntries(graph.nodes.map((one) => [one.id, plain(stepsOf(run, one.id).at(-1)?.output)]).filter(([, value]) => value !== undefined));
  if (root === "item") return sampleItem(node);
  if (root === "trigger") return run?.payload === undefined ? undefined : { body: run.payload };
  return undefined;
}

/** Of a node that has not run: what the nodes before it gave. */
function feeding(node: string): unknown {
  const { graph, run, canvas } = store.get();
  const before = graph.edges.find((edge) => edge.target === node)?.source;
  return before ? (canvas.pins?.[before] ?? stepsOf(run, before).at(-1)?.output) : undefined;
}

function sampleItem(node: string): unknown {
  const { graph, run } = store.get();
  const loop = graph.edges.find((edge) => edge.target === node && edge.sourcePort === "body")?.source;
  const input = loop ? plain(stepsOf(run, node).at(-1)?.input) : undefined;
  return input;
}
