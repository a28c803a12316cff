// Canvas, YAML or both; with both there is room for the palette on wide screens only.
import { store, type View } from "./state";

const ROOMY = 1500;

export function show(view: View): void {
  const palette = view === "canvas" ? true : view === "split" ? innerWidth >= ROOMY : store.get().palette;
  store.set({ view, palette });
}
