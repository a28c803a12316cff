// Completion in the YAML: the keys of a listener and of its kind, and the names of the nodes where names belong.
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { store } from "./state";

const LISTENER = ["name", "handler", "description", "peers", "with", "agent", "prompt", "model", "retries", "timeout", "onError", "disabled", "broadcast"];
const TRIGGER = ["name", "type", "to", "cron", "timezone", "every", "sensor", "respond", "hmac", "enabled"];
const TYPES = ["webhook", "schedule", "manual", "sensor"];
const NAMES_FOLLOW = /(?:\b(?:to|onError|else|body|done):\s*|peers:\s*\[(?:[^\]]*,)?\s*)([\w.-]*)$/;

export function yamlWords(context: CompletionContext): CompletionResult | null {
  const before = context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from);
  const word = context.matchBefore(/[\w.:-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  return { from: word.from, options: options(before), validFor: /^[\w.:-]*$/ };
}

function options(before: string): { label: string; type: string; detail?: string }[] {
  const state = store.get();
  if (NAMES_FOLLOW.test(before)) return state.graph.nodes.filter((node) => node.kind !== "trigger" && node.kind !== "note").map((node) => ({ label: node.id, type: "variable", detail: node.kind }));
  if (/handler:\s*[\w.:-]*$/.test(before)) return handlers();
  if (/type:\s*\w*$/.test(before)) return TYPES.map((label) => ({ label, type: "enum" }));
  const own = state.data.catalogue.flatMap((kind) => kind.fields.filter((field) => field.key.startsWith("with.")).map((field) => field.key.slice(5)));
  return [...new Set([...LISTENER, ...TRIGGER, ...own])].map((label) => ({ label, type: "property" }));
}

function handlers(): { label: string; type: string; detail?: string }[] {
  const { builtin, market, custom } = store.get().data.palette;
  return [...builtin, ...custom, ...market].filter((item) => item.handler).map((item) => ({ label: item.handler, type: "function", detail: item.label }));
}
