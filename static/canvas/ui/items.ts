// What a palette item becomes: which kind of node, what it is called, what it holds at first.
import type { PaletteItem } from "./data";

export interface ItemKind {
  kind: string;
  icon: string;
  trigger: string;
}

const TRIGGERS = ["webhook", "schedule", "manual"];

export function kindOfItem(item: PaletteItem): ItemKind {
  const handler = item.handler || item.kind || "";
  const trigger = /^trigger:(\w+)/.exec(handler)?.[1] ?? (TRIGGERS.includes(handler) ? handler : handler === "trigger" ? "webhook" : "");
  if (trigger) return { kind: "trigger", icon: trigger, trigger };
  const kind = kindOfHandler(handler, item.kind ?? "");
  return { kind, icon: kind, trigger: "" };
}

function kindOfHandler(handler: string, told: string): string {
  if (handler.startsWith("builtin:")) return handler.slice(8);
  if (handler.startsWith("wasm:") || handler === "wasm") return "code";
  if (handler.startsWith("flow:")) return "flow";
  if (handler.startsWith("prompt:")) return "prompt";
  return told || handler || "code";
}

/** What a new node is called, when nobody has that name yet; the core counts up otherwise. */
export function nameHint(item: PaletteItem): string {
  const kind = kindOfItem(item);
  const named = /^(wasm|flow|prompt):/.test(item.handler) && !/:(FUNCTION|NAME|ID)$/.test(item.handler);
  const words = kind.trigger || (named ? (item.handler.split(":").pop() ?? "") : kind.kind);
  return words.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z]+/, "") || "node";
}
