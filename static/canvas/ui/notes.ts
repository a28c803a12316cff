// Sticky notes: they belong to the canvas, not to the text.
import { setCanvas } from "./edit";
import { clear } from "./add";
import type { Note, Point } from "./data";
import { say, store } from "./state";

function fresh(notes: Record<string, Note>): string {
  let number = Object.keys(notes).length + 1;
  while (`n${number}` in notes) number += 1;
  return `n${number}`;
}

export function addNote(at: Point): void {
  const notes = store.get().canvas.notes ?? {};
  const id = fresh(notes);
  setCanvas({ notes: { ...notes, [id]: { ...clear(at), width: 200, height: 104, text: "" } } });
  store.set({ selected: [`note:${id}`] });
  say("Note added.");
}

export function changeNote(id: string, patch: Partial<Note>): void {
  const notes = store.get().canvas.notes ?? {};
  const note = notes[id];
  if (note) setCanvas({ notes: { ...notes, [id]: { ...note, ...patch } } });
}

export function withoutNotes(ids: readonly string[]): Record<string, Note> {
  const gone = new Set(ids);
  return Object.fromEntries(Object.entries(store.get().canvas.notes ?? {}).filter(([id]) => !gone.has(id)));
}
