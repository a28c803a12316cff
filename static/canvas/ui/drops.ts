// Palette items dropped on the canvas: onto the pane, or onto a wire.
import { useMemo, type DragEvent } from "react";
import { addItemAt, ITEM_TYPE } from "./add";
import type { PaletteItem } from "./data";
import { view } from "./viewport";
import { edgeUnder } from "./wiring";

let lit: Element | null = null;

function light(id: string): void {
  const element = id ? document.querySelector(`.react-flow__edge[data-id="${CSS.escape(id)}"]`) : null;
  if (element === lit) return;
  lit?.classList.remove("ed-target");
  element?.classList.add("ed-target");
  lit = element;
}

function over(event: DragEvent): void {
  if (!event.dataTransfer.types.includes(ITEM_TYPE)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  light(edgeUnder(event));
}

function drop(event: DragEvent): void {
  const text = event.dataTransfer.getData(ITEM_TYPE);
  light("");
  if (!text) return;
  event.preventDefault();
  const item = JSON.parse(text) as PaletteItem;
  const at = view.at({ x: event.clientX, y: event.clientY });
  addItemAt(item, { x: at.x - 32, y: at.y - 26 }, edgeUnder(event));
}

export function useDrops() {
  return useMemo(() => ({ onDragOver: over, onDrop: drop, onDragLeave: () => light("") }), []);
}
