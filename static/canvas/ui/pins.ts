// Test data that is pinned on a node: kept with the canvas, used instead of what the last run had.
import { setCanvas } from "./edit";
import { say, store } from "./state";

export function pin(node: string, value: unknown): void {
  setCanvas({ pins: { ...store.get().canvas.pins, [node]: value ?? null } });
  say(`Test data pinned on ${node}.`);
}

export function unpin(node: string): void {
  const { [node]: gone, ...pins } = store.get().canvas.pins ?? {};
  if (gone !== undefined) setCanvas({ pins });
  say(`Test data removed from ${node}.`);
}
