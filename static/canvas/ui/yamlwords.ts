// Completion in the YAML: the keys of a listener and of its kind, and the names of the nodes where names belong.
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { store } from "./state";

const TYPES = ["webhook", "schedule", "manual", "sensor"];
const NAMES_FOLLOW = /(?:\b(?:to|onError|else|body|done):\s*|peers:\s*\[(?:[^\]]*,)?\s*)([\w.-]*)$/;

export function yamlWords(context: CompletionContext): CompletionResult | null {
  const before = context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from);
  const word = context.matchBefore(/[\w.:-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  return { from: word.from, options: options(before, section(context)), validFor: /^[\w.:-]*$/ };
}

/** The key at the left margin under which the cursor is: triggers, listeners, …; none for what is at the margin itself. */
function section(context: CompletionContext): string {
  if (/^[\w-]*$/.test(context.state.doc.lineAt(context.pos).text)) return "";
  const above = context.state.sliceDoc(0, context.pos);
  return [...above.matchAll(/^([\w-]+):/gm)].at(-1)?.[1] ?? "";
}

function options(before: string, section: string): { label: string; type: string; detail?: string }[] {
  const state = store.get();
  if (NAMES_FOLLOW.test(before)) return state.graph.nodes.filter((node) => node.kind !== "trigger" && node.kind !== "note").map((node) => ({ label: node.id, type: "variable", detail: node.kind }));
  if (/handler:\s*[\w.:-]*$/.test(before)) return handlers();
  if (/type:\s*\w*$/.test(before)) return TYPES.map((label) => ({ label, type: "enum" }));
  return keys(section);
}

/** As the server's loader has them, so that a new key is completed as soon as it is read. */
function keys(section: string): { label: string; type: string; detail?: string }[] {
  const { words } = store.get().data;
  return Object.entries(words[section] ?? words.listeners ?? {}).map(([label, detail]) => ({ label, type: "property", detail }));
}

function handlers(): { label: string; type: string; detail?: string }[] {
  const { builtin, market, custom } = store.get().data.palette;
  return [...builtin, ...custom, ...market].filter((item) => item.handler).map((item) => ({ label: item.handler, type: "function", detail: item.label }));
}
