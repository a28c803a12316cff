// What a new node of each kind holds at first; in the order in which it is written.
import type { Kind } from "./types.ts";

const WITH: Partial<Record<Kind, Record<string, unknown>>> = {
  http: { method: "GET", url: "https://" },
  llm: { prompt: "${payload}" },
  branch: { cases: [] },
  loop: { over: "payload" },
  join: { wait: "all" },
  map: { expr: "payload" },
  filter: { if: "true" },
  delay: { for: "1m" },
  wait: { timeout: "24h" },
  memory: { get: "key" },
  sensor: { fire: "name", payload: "${payload}" },
  output: { status: 200, body: "${payload}" },
};
const HANDLERS: Partial<Record<Kind, string>> = { code: "builtin:code", flow: "flow:NAME", prompt: "prompt:ID" };

/** The keys of a new listener or trigger beside its name. */
export function template(kind: Kind): Record<string, unknown> {
  if (kind === "trigger") return { type: "webhook" };
  if (kind === "agent") return { agent: true, prompt: "You are a helpful assistant." };
  if (kind === "note" || kind === "unbound") return {};
  const options = WITH[kind];
  if (!options) return { handler: HANDLERS[kind] };
  return { handler: `builtin:${kind}`, with: structuredClone(options) };
}
