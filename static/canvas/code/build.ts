// Asks the worker for builds; it is started with the first one, and stays.
export interface Wish { id: number; name: string; source: string }
export interface Fault { severity: "error" | "warning"; line: number; column: number; from: number; to: number; message: string }
export interface Built { id: number; source: string; faults: Fault[]; wasm: Uint8Array | null; functions: string[] }

const PATIENCE_MS = 60_000;

let worker: Worker | null = null;
/** Whether it has been loaded; until then wishes wait here. */
let ready = false;
const early: Wish[] = [];
let count = 0;
const waiting = new Map<number, { done: (built: Built) => void; fail: (why: Error) => void }>();

export function build(name: string, source: string): Promise<Built> {
  const id = (count += 1);
  return new Promise((done, fail) => {
    const late = setTimeout(() => end("The compiler took longer than a minute; it was stopped."), PATIENCE_MS);
    waiting.set(id, { done: (built) => (clearTimeout(late), done(built)), fail: (why) => (clearTimeout(late), fail(why)) });
    const wish: Wish = { id, name, source };
    const own = started();
    if (ready) own.postMessage(wish);
    else early.push(wish);
  });
}

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./compiler.ts", import.meta.url), { type: "module" });
  const own = worker;
  worker.addEventListener("message", ({ data }: MessageEvent<Built | "ready">) => {
    if (data === "ready") {
      ready = true;
      for (const wish of early.splice(0)) own.postMessage(wish);
      return;
    }
    waiting.get(data.id)?.done(data);
    waiting.delete(data.id);
  });
  worker.addEventListener("error", (event) => end(event.message || "The compiler could not be loaded. Reload the page and try again."));
  return worker;
}

/** Ends the worker; whoever waits for it is told why. */
export function end(why: string): void {
  worker?.terminate();
  worker = null;
  ready = false;
  early.length = 0;
  for (const { fail } of waiting.values()) fail(new Error(why));
  waiting.clear();
}
