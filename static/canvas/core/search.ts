// Finds nodes by name, kind, handler, description or anything written in them.
import type { GNode, Graph } from "./types.ts";

export interface Found { id: string; score: number; /** Where it was found, such as `with.url`. */ where: string; excerpt: string }

/** Every word of the query must occur; best first. */
export function search(graph: Graph, query: string, limit = 50): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = graph.nodes.flatMap((node) => judge(node, words) ?? []);
  return found.sort((a, b) => b.score - a.score || a.id.localeCompare(b.id)).slice(0, limit);
}

function judge(node: GNode, words: readonly string[]): Found | null {
  const texts = textsOf(node);
  let total = 0;
  let best: { weight: number; where: string; text: string } | null = null;
  for (const word of words) {
    const hit = texts.find(({ text }) => text.toLowerCase().includes(word));
    if (!hit) return null;
    const weight = hit.weight + (hit.text.toLowerCase().startsWith(word) ? 5 : 0) + (hit.text.toLowerCase() === word ? 20 : 0);
    total += weight;
    if (!best || weight > best.weight) best = { weight, where: hit.where, text: hit.text };
  }
  return { id: node.id, score: total, where: best!.where, excerpt: excerpt(best!.text, words[0]!) };
}

function textsOf(node: GNode): { where: string; text: string; weight: number }[] {
  const own = [{ where: "name", text: node.name, weight: 40 }, { where: "label", text: node.label, weight: 30 }, { where: "kind", text: node.kind, weight: 20 }, { where: "handler", text: node.handler, weight: 15 }, { where: "description", text: node.description, weight: 10 }];
  const rest: typeof own = [];
  collect(node.fields, "", rest, 0);
  return [...own, ...rest];
}

function collect(value: unknown, where: string, into: { where: string; text: string; weight: number }[], depth: number): void {
  if (depth > 12 || into.length > 2_000) return;
  if (typeof value === "object" && value !== null) {
    for (const [key, one] of Object.entries(value)) collect(one, where ? `${where}.${key}` : key, into, depth + 1);
  } else if (value !== null && value !== undefined && where !== "peers") {
    into.push({ where, text: String(value), weight: 3 });
  }
}

function excerpt(text: string, word: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(word));
  const from = Math.max(0, at - 30);
  return (from ? "…" : "") + text.slice(from, from + 90).replace(/\s+/g, " ") + (text.length > from + 90 ? "…" : "");
}
