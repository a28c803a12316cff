// Commands on what is chosen.
import { copyOf } from "./clipboard";
import { disable, duplicate, move, removeAll, setCanvas } from "./edit";
import { focusInspector, focusSoon, focusNode } from "./focus";
import { isGroup, ungroupChosen } from "./groups";
import { addNote, withoutNotes } from "./notes";
import { placed } from "./places";
import { choose, chosenNodes, chosenNotes, select } from "./select";
import { say, store, toast } from "./state";
import { view } from "./viewport";
import { cut as cutWire } from "./wiring";
import { count } from "./words";

export function removeChosen(): void {
  const { selectedEdge, readOnly } = store.get();
  if (readOnly) return;
  const nodes = chosenNodes();
  const notes = chosenNotes();
  if (!nodes.length && store.get().selected.some(isGroup)) ungroupChosen();
  if (selectedEdge && !nodes.length) return cutWire(selectedEdge);
  const next = neighbour(nodes);
  if (notes.length) setCanvas({ notes: withoutNotes(notes) });
  if (nodes.length) removeAll(nodes);
  store.set({ selected: [], inspecting: false });
  if (nodes.length + notes.length) say(`${count(nodes.length + notes.length, "node")} deleted.`);
  if (next) choose(next);
}

/** Where the keyboard goes on when the chosen nodes are gone. */
function neighbour(gone: readonly string[]): string {
  const { edges } = store.get().graph;
  const near = edges.find((edge) => gone.includes(edge.target) && !gone.includes(edge.source))?.source ?? edges.find((edge) => gone.includes(edge.source) && !gone.includes(edge.target))?.target;
  return near ?? "";
}

export function duplicateChosen(): void {
  const made = duplicate(chosenNodes());
  if (!made.length) return;
  select(made);
  focusNode(made[0]!);
  say(`${count(made.length, "node")} duplicated.`);
}

export function toggleChosen(): void {
  const names = chosenNodes();
  const nodes = store.get().graph.nodes.filter((node) => names.includes(node.id));
  const off = !nodes.every((node) => node.disabled);
  disable(names, off);
  say(off ? "Disabled." : "Enabled.");
}

export async function copyChosen(): Promise<boolean> {
  const names = chosenNodes();
  if (!names.length) return false;
  try {
    await navigator.clipboard.writeText(copyOf(names));
    say(`${count(names.length, "node")} copied as YAML.`);
    return true;
  } catch {
    toast("The browser does not let this page copy. Use Ctrl+C on the canvas.", "error");
    return false;
  }
}

export async function cutChosen(): Promise<void> {
  if (await copyChosen()) removeChosen();
}

export function openInspector(): void {
  store.set({ inspecting: true });
  focusInspector(chosenNodes()[0] ?? "", ".ed-inspector-body :is(input, select, textarea, .cm-content, button)");
}

export function renameChosen(): void {
  store.set({ inspecting: true });
  focusInspector(chosenNodes()[0] ?? "", '.ed-field[data-field="name"] input');
}

export function focusPalette(): void {
  store.set({ palette: true, view: store.get().view === "yaml" ? "split" : store.get().view });
  focusSoon("#ed-palette-search");
}

export function addNoteHere(): void {
  addNote(view.middle());
}

/** Chosen nodes share the smallest place of one axis. */
export function align(axis: "x" | "y"): void {
  const places = placed(store.get().graph, store.get().canvas);
  const names = chosenNodes();
  const to = Math.min(...names.map((name) => places[name]?.[axis] ?? Infinity));
  move(Object.fromEntries(names.map((name) => [name, { ...(places[name] ?? { x: 0, y: 0 }), [axis]: to }])));
}
