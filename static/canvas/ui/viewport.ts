// The part of the canvas that is seen, for code outside of React Flow's tree.
import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import type { Point } from "./data";

type Flow = ReturnType<typeof useReactFlow>;
let flow: Flow | null = null;

export const view = {
  fit: (): void => void flow?.fitView({ padding: 0.15, maxZoom: 1.1, duration: 150 }),
  zoom: (by: number): void => void flow?.zoomTo(flow.getZoom() * by),
  zoomTo: (to: number): void => void flow?.zoomTo(to),
  /** A place of the screen as a place of the canvas. */
  at: (screen: Point): Point => flow?.screenToFlowPosition(screen) ?? screen,
  middle,
  show,
};

function middle(): Point {
  const box = document.querySelector(".ed-canvas")?.getBoundingClientRect();
  return box ? view.at({ x: box.x + box.width / 2, y: box.y + box.height / 2 }) : { x: 0, y: 0 };
}

/** Moves the canvas only when the place is outside of what is seen. */
function show(place: Point): void {
  const box = document.querySelector(".ed-canvas")?.getBoundingClientRect();
  const at = flow?.flowToScreenPosition(place);
  if (!box || !at || !flow) return;
  const inside = at.x > box.left + 20 && at.x < box.right - 240 && at.y > box.top + 20 && at.y < box.bottom - 80;
  if (!inside) void flow.setCenter(place.x + 110, place.y + 30, { zoom: flow.getZoom(), duration: 150 });
}

export function Viewport(): null {
  const own = useReactFlow();
  useEffect(() => {
    flow = own;
  }, [own]);
  return null;
}
