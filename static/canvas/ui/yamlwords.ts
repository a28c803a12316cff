// Completion in the YAML: the keys of a listener and of its kind, and the names of the nodes where names belong.
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { store } from "./state";

const ALSO = ["with", "agent", "broadcast"]; // keys of a listener that no form shows
const TYPES = ["webhook", "schedule", "manual", "sensor"];
const NAMES_FOLLOW = /(?:\b(?:to|onError|else|body|done):\s*|peers:\s*\[(?:[^\]]*,)?\s*)([\w.-]*)$/;

export function yamlWords(context: CompletionContext): CompletionResult | null {
  const before = context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from);
  const word = context.matchBefore(/[\w.:-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  return { from: word.from, options: options(before, section(context)), validFor: /^[\w.:-]*$/ };
}

/** The key at the left margin under which the cursor is: triggers, listeners, … */
function section(context: CompletionContext): string {
  const above = context.state.sliceDoc(0, context.pos);
  return [...above.matchAll(/^([\w-]+):/gm)].at(-1)?.[1] ?? "";
}

function options(before: string, section: string): { label: string; type: string; detail?: string }[] {
  const state = store.get();
  if (NAMES_FOLLOW.test(before)) return state.graph.nodes.filter((node) => node.kind !== "trigger" && node.kind !== "note").map((node) => ({ label: node.id, type: "variable", detail: node.kind }));
  if (/handler:\s*[\w.:-]*$/.test(before)) return handlers();
  if (/type:\s*\w*$/.test(before)) return TYPES.map((label) => ({ label, type: "enum" }));
  return keys(section === "triggers");
}

/** As the catalogue of nodes has them, so that a new key is completed as soon as the server knows it. */
function keys(triggers: boolean): { label: string; type: string; detail?: string }[] {
  const kinds = store.get().data.catalogue.filter((kind) => (kind.kind === "trigger") === triggers);
  const fields = kinds.flatMap((kind) => [...kind.common, ...kind.fields]);
  const found = new Map(fields.map((field) => [field.key.replace(/^with\./, ""), field.label]));
  if (!triggers) ALSO.forEach((key) => found.set(key, found.get(key) ?? ""));
  return [...found].map(([label, detail]) => ({ label, type: "property", detail }));
}

function handlers(): { label: string; type: string; detail?: string }[] {
  const { builtin, market, custom } = store.get().data.palette;
  return [...builtin, ...custom, ...market].filter((item) => item.handler).map((item) => ({ label: item.handler, type: "function", detail: item.label }));
}
