// What a build leads to: the node calls the function, and source, module and flow are one revision.
import { setField } from "../ui/edit";
import { saveWith } from "../ui/save";
import { say, store } from "../ui/state";
import type { Built } from "./build";
import { drafts } from "./stored";

/** Empty when all is saved; else why not. */
export async function keep(node: string, module: string, { wasm, source, functions }: Built, called: string): Promise<string> {
  const name = functions.includes(called) ? called : functions[0];
  if (!wasm || !name) return "Nothing can be called yet: write `export` before a function.";
  const handler = `wasm:${module}:${name}`;
  if (store.get().graph.nodes.find((one) => one.id === node)?.handler !== handler) setField(node, "handler", handler);
  if (!(await saveWith({ [`wasm/${module}.ts`]: base64(new TextEncoder().encode(source)), [`wasm/${module}.wasm`]: base64(wasm) }))) return "Not saved.";
  if (drafts.get(module) === source) drafts.delete(module);
  offered(module, functions);
  say(`${handler} is built and saved.`);
  return "";
}

/** Other nodes may call them from now on. */
function offered(module: string, functions: readonly string[]): void {
  const { data } = store.get();
  const others = data.palette.custom.filter((item) => !item.handler.startsWith(`wasm:${module}:`));
  const own = functions.map((label) => ({ label, handler: `wasm:${module}:${label}`, description: "" }));
  const sources = [...new Set([...(data.sources ?? []), module])];
  store.set({ data: { ...data, sources, palette: { ...data.palette, custom: [...own, ...others] } } });
}

const PART = 0x8000;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PART) text += String.fromCharCode(...bytes.subarray(at, at + PART));
  return btoa(text);
}
