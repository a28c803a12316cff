// The worker in which AssemblyScript is compiled: megabytes that are loaded when the first source is opened.
import asc from "assemblyscript/asc";
import json from "../../../examples/ecommerce/modules/assembly/json.ts?raw";
import writer from "../../../examples/ecommerce/modules/assembly/writer.ts?raw";
import type { Built, Fault, Wish } from "./build";
import { marked } from "./mark";
import priostack from "./priostack.as?raw";

const LIBRARY: Record<string, string> = { "priostack.ts": priostack, "json.ts": json, "writer.ts": writer };
const OPTIONS = ["--runtime", "incremental", "--exportRuntime", "-O3", "--noColors"];
const PLUMBING = /^(?:__|memory$|alloc$)/;
const ERROR = 3;

interface Told {
  code: number;
  category: number;
  message: string;
  range: { start: number; end: number; source: { normalizedPath: string } | null } | null;
}

addEventListener("message", (event: MessageEvent<Wish>) => void compile(event.data).then((built) => postMessage(built)));
// Loading awaits, and what is sent meanwhile would be lost: wishes come once this is said.
postMessage("ready");

async function compile({ id, name, source }: Wish): Promise<Built> {
  const entry = `${name}.ts` in LIBRARY ? `${name}-code.ts` : `${name}.ts`;
  const faults: Fault[] = [];
  let wasm: Uint8Array | null = null;
  let said = "";
  const { error } = await asc.main([entry, "-o", "made.wasm", ...OPTIONS], {
    readFile: (path: string) => (path === entry ? source : (LIBRARY[path] ?? null)),
    writeFile: (path: string, data: string | Uint8Array) => void (path.endsWith(".wasm") && typeof data !== "string" && (wasm = data)),
    listFiles: () => [],
    stdout: { write: () => true } as never,
    stderr: { write: (text: string) => ((said += text), true) } as never,
    reportDiagnostic: (told: unknown) => void faults.push(fault(told as Told, entry, source)),
  });
  const made = wasm as Uint8Array | null;
  const failed = faults.filter((one) => one.severity === "error");
  if (error || !made || failed.length) return { id, source, faults: failed.length ? faults : [...faults, whole(error?.message || said)], wasm: null, functions: [] };
  return { id, source, faults, wasm: marked(made, source), functions: functions(made) };
}

function whole(message: string): Fault {
  return { severity: "error", line: 1, column: 1, from: 0, to: 0, message: message.split("\n")[0] || "It cannot be compiled." };
}

function fault({ code, category, message, range }: Told, entry: string, source: string): Fault {
  const own = range && (!range.source || range.source.normalizedPath === entry);
  const from = own ? Math.min(range.start, source.length) : 0;
  const before = source.slice(0, from).split("\n");
  const where = own || !range?.source ? "" : ` (in ${range.source.normalizedPath})`;
  const severity = category === ERROR ? "error" : "warning";
  return { severity, line: before.length, column: before.at(-1)!.length + 1, from, to: own ? Math.min(range.end, source.length) : 0, message: `${message}${where} (${code})` };
}

function functions(wasm: Uint8Array): string[] {
  const module = new WebAssembly.Module(wasm as BufferSource);
  return WebAssembly.Module.exports(module).filter(({ kind, name }) => kind === "function" && !PLUMBING.test(name)).map(({ name }) => name);
}
