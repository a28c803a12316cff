// What kind of node a listener is, judged as the server does.
import type { Kind, Port } from "./types.ts";
import { isMap } from "./scalar.ts";
import { sameKey } from "./tree.ts";

export const BUILTINS: readonly Kind[] = ["http", "llm", "branch", "loop", "join", "map", "filter", "delay", "wait", "memory", "sensor", "output"];
const TOOL = /^(?:tool:|(?:xml_pipeline|agentserver)\.tools\.)(\w+)(?:[.:]\w+)*$/;
const TOOLS: Record<string, readonly [Kind, Record<string, unknown>]> = {
  fetch: ["http", { method: "GET", url: "${payload.url}" }],
  fetch_url: ["http", { method: "GET", url: "${payload.url}" }],
  webhook: ["http", { method: "POST", url: "${payload.url}", body: "${payload}" }],
  key_value_get: ["memory", { get: "${payload.key}" }],
  key_value_set: ["memory", { set: "${payload.key}", value: "${payload.value}" }],
  key_value_delete: ["memory", { delete: "${payload.key}" }],
};

export type Fields = Record<string, unknown>;

/** A field under any of its spellings: on_error is onError. */
export function field(fields: Fields, key: string): unknown {
  if (key in fields) return fields[key];
  const found = Object.keys(fields).find((one) => sameKey(one, key));
  return found === undefined ? undefined : fields[found];
}

export function text(fields: Fields, key: string): string {
  const value = field(fields, key);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function kindOf(fields: Fields): Kind {
  const handler = text(fields, "handler");
  if (handler === "wasm") return "code";
  const scheme = handler.includes(":") ? handler.slice(0, handler.indexOf(":")) : "";
  if (scheme === "builtin") return builtin(handler.slice(8));
  if (scheme === "wasm") return "code";
  if (scheme === "flow" || scheme === "prompt") return scheme;
  if (isAgent(fields, handler)) return "agent";
  return toolOf(handler)?.[0] ?? "unbound";
}

function builtin(name: string): Kind {
  if (name === "code") return "code";
  return (BUILTINS as readonly string[]).includes(name) ? (name as Kind) : "unbound";
}

function isAgent(fields: Fields, handler: string): boolean {
  const agent = field(fields, "agent");
  if (agent === false) return false;
  const told = ["prompt", "promptRef", "tools"].some((key) => Boolean(field(fields, key))) || isMap(agent);
  return told || (Boolean(agent) && !handler);
}

export function toolName(handler: string): string {
  return TOOL.exec(handler)?.[1] ?? "";
}

function toolOf(handler: string): readonly [Kind, Record<string, unknown>] | undefined {
  const name = toolName(handler);
  return name && Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
}

const AGENT = ["prompt", "promptRef", "model", "temperature", "max_tokens", "max_iterations"];

export function optionsOf(fields: Fields, kind: Kind): Record<string, unknown> {
  const brought = toolOf(text(fields, "handler"));
  if (brought && kind === brought[0]) return { ...brought[1] };
  const options = field(fields, "with");
  const found = isMap(options) ? { ...options } : {};
  if (kind !== "agent") return found;
  const block = field(fields, "agent");
  const inner = isMap(block) ? block : {};
  for (const key of AGENT) {
    const value = field(fields, key) ?? field(inner, key);
    if (value !== undefined && value !== null) found[key] = value;
  }
  return found;
}

export function portsOf(kind: Kind, options: Record<string, unknown>): Port[] {
  if (kind === "trigger") return ["trigger"];
  if (kind === "output" || kind === "note") return [];
  if (kind === "loop") return ["body", "done", "error"];
  if (kind !== "branch") return ["peer", "error"];
  const cases = Array.isArray(options.cases) ? options.cases : [];
  return [...cases.map((_, index) => `case ${index}`), "else", "error"];
}
