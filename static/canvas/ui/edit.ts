// Changes of the flow: each is one splice of the text and one step of the history that both views share.
import { apply, follow, groupMarks, History, marked, parse, tidy, type Applied, type Op, type Wire } from "../core";
import type { CanvasState, Point } from "./data";
import { membersAt, placed } from "./places";
import { shapeOf } from "./shape";
import { canvasText, say, store, toast } from "./state";

let history: History;
let timer = 0;
let waiting: string | null = null;
let slow = 0;

export function startHistory(): void {
  const { text, canvas } = store.get();
  history = new History({ text, canvas });
}

/** Makes `text` and `canvas` what everybody sees; an unreadable text keeps the last good picture. */
function put(text: string, canvas: CanvasState): void {
  const state = store.get();
  const began = performance.now();
  const graph = text === state.text ? state.graph : parse(text);
  slow = performance.now() - began;
  const dirty = text !== state.savedText || canvasText(canvas) !== state.savedCanvas;
  const save = state.save === "conflict" || state.save === "saving" ? state.save : dirty ? "dirty" : "saved";
  const known = new Set(graph.nodes.map((node) => node.id));
  store.set({
    text, canvas, save, stale: graph.broken, problems: graph.problems, graph: graph.broken ? state.graph : graph,
    selected: graph.broken ? state.selected : kept(state.selected, known), canUndo: history.canUndo, canRedo: history.canRedo,
  });
}

function kept(selected: readonly string[], known: ReadonlySet<string>): readonly string[] {
  const left = selected.filter((id) => known.has(id) || id.startsWith("note:") || id.startsWith("group:"));
  return left.length === selected.length ? selected : left;
}

/** What is typed is drawn a moment later; the more the parser has to do, the longer the moment. */
export function typed(text: string): void {
  waiting = text;
  clearTimeout(timer);
  timer = window.setTimeout(flushTyping, Math.min(250, 10 + slow));
}

export function flushTyping(): void {
  clearTimeout(timer);
  const text = waiting;
  waiting = null;
  if (text === null || text === store.get().text) return;
  history.push({ text, canvas: store.get().canvas }, { join: "typing" });
  put(text, store.get().canvas);
}

/** Runs an operation; what it refuses is told, and nothing has changed. */
export function run(op: Op, at?: (done: Applied) => Record<string, Point>, join = "", marks = ""): Applied | null {
  flushTyping();
  const { text, stale, readOnly, graph, canvas } = store.get();
  if (readOnly) return null;
  if (stale) return toast("The YAML has an error. Mend it first, then the canvas can write into it.", "error"), null;
  const done = apply(text, op);
  for (const problem of done.problems) toast(problem.message, problem.severity === "error" ? "error" : "info");
  if (!done.ok) return say(done.problems[0]?.message ?? "That is not possible."), null;
  // Written down for all of them: a layout of the new graph would move what nobody touched.
  const followed = follow({ ...canvas, nodes: placed(graph, canvas) }, done);
  const next = marked({ ...followed, nodes: { ...followed.nodes, ...at?.(done) } }, marks, done.from);
  history.push({ text: done.text, canvas: next }, { join });
  put(done.text, next);
  return done;
}

export function setCanvas(patch: Partial<CanvasState>, join?: string): void {
  flushTyping();
  const { text, canvas } = store.get();
  const next = { ...canvas, ...patch };
  history.push({ text, canvas: next }, join ? { join } : undefined);
  put(text, next);
}

/** Every node gets its place written down, so that moving one never moves another. */
export function move(places: Record<string, Point>, join?: string): void {
  const { graph, canvas, readOnly } = store.get();
  if (readOnly) return;
  const notes = { ...canvas.notes };
  const nodes = { ...placed(graph, canvas) };
  let changed = false;
  for (const [id, { x, y }] of Object.entries(membersAt(graph, canvas, places))) {
    const note = id.startsWith("note:") ? notes[id.slice(5)] : undefined;
    const before = note ?? nodes[id];
    if (before && before.x === x && before.y === y) continue;
    changed = true;
    if (note) notes[id.slice(5)] = { ...note, x, y };
    else nodes[id] = { x, y };
  }
  if (changed) setCanvas({ nodes, ...(canvas.notes ? { notes } : {}) }, join);
}

export function undo(): void {
  step("undo", "Undone.");
}

export function redo(): void {
  step("redo", "Done again.");
}

function step(way: "undo" | "redo", told: string): void {
  flushTyping();
  const found = history[way]();
  if (!found) return say(way === "undo" ? "Nothing to undo." : "Nothing to redo.");
  put(found.text, found.canvas ?? {});
  say(told);
}

/** The whole text at once: a restored revision, or the outcome of a merge. */
export function replaceText(text: string): void {
  flushTyping();
  const { canvas } = store.get();
  history.push({ text, canvas });
  put(text, canvas);
}

export function tidyUp(): void {
  const { graph } = store.get();
  setCanvas({ nodes: tidy(graph, { size: (node) => shapeOf(node) }) });
  say("Tidied.");
}

export function connect(source: string, port: string, target: string): boolean {
  return run({ op: "connect", wire: { source, port, target } }) !== null;
}

export function disconnect(wires: readonly Wire[]): void {
  run({ op: "disconnect", wires });
}

export function removeAll(names: readonly string[]): void {
  run({ op: "removeNodes", names });
}

export function disable(names: readonly string[], disabled: boolean): void {
  const listeners = names.filter((name) => store.get().graph.nodes.find((node) => node.id === name)?.kind !== "trigger");
  if (listeners.length) run({ op: "setDisabled", names: listeners, disabled });
}

export function duplicate(names: readonly string[]): string[] {
  const before = placed(store.get().graph, store.get().canvas);
  const beside = (done: Applied): Record<string, Point> => Object.fromEntries(done.created.map((id) => [id, shifted(before[done.from[id] ?? ""])]));
  return names.length ? (run({ op: "duplicate", names }, beside, "", groupMarks(store.get().canvas, names))?.created ?? []) : [];
}

function shifted(place: Point | undefined): Point {
  return { x: (place?.x ?? 0) + 32, y: (place?.y ?? 0) + 72 };
}

export function setField(name: string, path: string, value: unknown): void {
  run({ op: "setField", name, path, value }, undefined, `field ${name} ${path}`);
}

export function rename(name: string, to: string): void {
  const done = to && to !== name ? run({ op: "renameNode", name, to }) : null;
  const now = done?.renamed[name] ?? (done ? to : name);
  if (done) store.set({ selected: [now] });
}
