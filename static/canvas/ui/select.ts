// Choosing nodes, and going from one to the next by keyboard.
import { GROUP } from "../core";
import { focusNode } from "./focus";
import type { Problem } from "./http";
import { linesOf } from "./problems";
import { placed } from "./places";
import { unfoldFor } from "./groups";
import { say, store } from "./state";

export function select(ids: readonly string[]): void {
  store.set({ selected: ids, selectedEdge: "" });
}

/** The nodes that are chosen, without notes; of a collapsed group all that are in it. */
export function chosenNodes(): string[] {
  const { selected, graph, canvas } = store.get();
  const known = new Set(graph.nodes.map((node) => node.id));
  const inside = (id: string): string[] => (id.startsWith(GROUP) && canvas.groups?.[id.slice(GROUP.length)]?.collapsed ? canvas.groups[id.slice(GROUP.length)]!.members : []);
  return [...new Set(selected.flatMap((id) => (known.has(id) ? [id] : inside(id).filter((name) => known.has(name)))))];
}

export function chosenNotes(): string[] {
  return store.get().selected.filter((id) => id.startsWith("note:")).map((id) => id.slice(5));
}

export function selectAll(): void {
  const { graph, canvas } = store.get();
  select([...graph.nodes.map((node) => node.id), ...Object.keys(canvas.notes ?? {}).map((id) => `note:${id}`)]);
}

export function choose(id: string): void {
  unfoldFor(id);
  select([id]);
  focusNode(id);
  const node = store.get().graph.nodes.find((one) => one.id === id);
  if (node) say(`${node.label}, ${node.kind}.`);
}

export function walk(by: "next" | "previous" | "above" | "below"): void {
  const { graph } = store.get();
  const at = focused() ?? chosenNodes()[0] ?? "";
  if (!at) return void (graph.nodes[0] && choose(graph.nodes[0].id));
  const found = by === "next" ? graph.edges.find((edge) => edge.source === at)?.target : by === "previous" ? graph.edges.find((edge) => edge.target === at)?.source : beside(at, by);
  if (found) choose(found);
  else say("There is nothing in that direction.");
}

export function focused(): string | undefined {
  return document.activeElement?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
}

/** The nearest node above or below. */
function beside(id: string, by: "above" | "below"): string | undefined {
  const places = placed(store.get().graph, store.get().canvas);
  const from = places[id];
  if (!from) return undefined;
  const far = (place: { x: number; y: number }): number => Math.abs(place.y - from.y) + Math.abs(place.x - from.x) * 2;
  return Object.entries(places)
    .filter(([other, place]) => other !== id && (by === "below" ? place.y > from.y : place.y < from.y))
    .sort(([, a], [, b]) => far(a) - far(b))[0]?.[0];
}

/** Brings the place of a problem before the eyes: its node, or its line. */
export function reveal(problem: Problem): void {
  const { graph, text } = store.get();
  const own = [...linesOf(graph, text)].find(([, lines]) => problem.line >= lines.first && problem.line <= lines.last);
  if (own) {
    unfoldFor(own[0]);
    select([own[0]]);
    store.set({ inspecting: true });
  } else store.set({ view: store.get().view === "canvas" ? "split" : store.get().view });
  say(`Line ${problem.line}: ${problem.message}`);
}
