// Names of nodes: what one may be, and a new one that nobody has.
import type { Graph, Kind, NewNode } from "./types.ts";

const NAME = /^\p{L}[\p{L}\p{N}_.-]{0,99}$/u;

/** Why this cannot name a node, or "". */
export function nameProblem(name: string, taken: Iterable<string> = []): string {
  if (!name) return "A node needs a name.";
  if (!NAME.test(name)) return `'${name.slice(0, 60)}' cannot name a node: a letter, then letters, digits, '.', '_' and '-', at most 100.`;
  const folded = name.toLowerCase();
  for (const one of taken) if (one.toLowerCase() === folded) return `There is already a node named '${one}'.`;
  return "";
}

/** `base` itself when it is free, or base-2, base-3 …; a number at its end counts on. */
export function freshName(base: string, taken: Iterable<string> | Graph): string {
  const names = isGraph(taken) ? taken.nodes.map((node) => node.name) : [...taken];
  const used = new Set(names.map((name) => name.toLowerCase()));
  const clean = tidied(base);
  if (!used.has(clean.toLowerCase())) return clean;
  const stem = clean.replace(/-\d+$/, "") || "node";
  let number = 2;
  while (used.has(`${stem}-${number}`.toLowerCase())) number += 1;
  return `${stem}-${number}`;
}

function isGraph(taken: Iterable<string> | Graph): taken is Graph {
  return "nodes" in taken;
}

function tidied(base: string): string {
  const clean = base.trim().replace(/[^\p{L}\p{N}_.-]+/gu, "-").replace(/^[^\p{L}]+/u, "").replace(/-+$/, "").slice(0, 90);
  return clean || "node";
}

const WORDS: Partial<Record<Kind, string>> = { output: "answer", branch: "decide", http: "request", unbound: "node" };

export function baseName({ kind, handler, fields }: NewNode): string {
  if (kind === "trigger") return String(fields?.type ?? "webhook");
  const last = /^(?:wasm|flow|prompt):.*?([^:]+)$/.exec(handler ?? "")?.[1];
  return last && !/^(?:MODULE|FUNCTION|NAME|ID)$/.test(last) ? last : WORDS[kind] ?? kind;
}
