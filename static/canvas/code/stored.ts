// The source of a function as the bundle keeps it: wasm/NAME.ts beside wasm/NAME.wasm.
import type { GNode } from "../core";
import { store } from "../ui/state";
import { builtFrom } from "./mark";

export interface Stored {
  source: string;
  /** What the module was built from: this very text, another one, or it does not say so. */
  module: "current" | "older" | "foreign";
}

/** What was typed and not yet built, by the module's name: closing the editor of a source loses nothing. */
export const drafts = new Map<string, string>();

/** Module and function of a node; both empty while it has none. */
export function moduleOf(node: GNode): { module: string; called: string } {
  const found = /^wasm:([^:]+):(.+)$/.exec(node.handler ?? "");
  return { module: found && found[1] !== "MODULE" ? found[1]! : "", called: found?.[2] ?? "" };
}

export function hasSource(module: string): boolean {
  return Boolean(module) && (store.get().data.sources ?? []).includes(module);
}

/** The name of a new module: as its node, unless there is one of that name. */
export function freshName(node: GNode): string {
  const { palette } = store.get().data;
  const taken = new Set([...palette.custom, ...palette.market].map((item) => item.handler.split(":")[1]?.toLowerCase()));
  const wanted = node.name.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[^A-Za-z]+|-+$/g, "").slice(0, 60) || "code";
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted}-${count}`;
    if (!taken.has(name.toLowerCase())) return name;
  }
}

export async function stored(module: string): Promise<Stored> {
  const [source, wasm] = await Promise.all([file(`${module}.ts`), file(`${module}.wasm`)]);
  const text = new TextDecoder().decode(source);
  const same = builtFrom(wasm, text);
  return { source: text, module: same === null ? "foreign" : same ? "current" : "older" };
}

async function file(name: string): Promise<Uint8Array> {
  const response = await fetch(`/api/bundles/${store.get().data.flow.bundle}/files/wasm/${encodeURIComponent(name)}`);
  if (!response.ok) throw new Error(response.status === 404 ? `wasm/${name} is no longer there.` : `wasm/${name} cannot be loaded (${response.status}).`);
  return new Uint8Array(await response.arrayBuffer());
}
