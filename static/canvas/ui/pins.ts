// Test data: what a node is to answer in test runs (kept with the canvas), and what it is to get (kept while the page is open).
import { setCanvas } from "./edit";
import { say, store } from "./state";

export function pin(node: string, value: unknown): void {
  setCanvas({ pins: { ...store.get().canvas.pins, [node]: value ?? null } });
  say(`Test data pinned on ${node}.`);
}

export function setInput(node: string, value: unknown): void {
  store.set({ inputs: { ...store.get().inputs, [node]: value } });
  say(`Test input kept for ${node}.`);
}

export function unpin(node: string): void {
  const { [node]: gone, ...pins } = store.get().canvas.pins ?? {};
  if (gone !== undefined) setCanvas({ pins });
  say(`Test data removed from ${node}.`);
}
