// The part of the canvas that is seen, for code outside of React Flow's tree.
import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import type { Point } from "./data";

type Flow = ReturnType<typeof useReactFlow>;
let flow: Flow | null = null;
type Viewpoint = Point & { zoom: number };
type Box = Point & { width: number; height: number };

export const view = {
  fit: (): void => void flow?.fitView({ padding: 0.15, maxZoom: 1.1, duration: 150 }),
  zoom: (by: number): void => void flow?.zoomTo(flow.getZoom() * by),
  zoomTo: (to: number): void => void flow?.zoomTo(to),
  /** A place of the screen as a place of the canvas. */
  at: (screen: Point): Point => flow?.screenToFlowPosition(screen) ?? screen,
  look: (to: Viewpoint): void => void flow?.setViewport(to),
  middle,
  show,
  keep,
};

function middle(): Point {
  const box = document.querySelector(".ed-canvas")?.getBoundingClientRect();
  return box ? view.at({ x: box.x + box.width / 2, y: box.y + box.height / 2 }) : { x: 0, y: 0 };
}

function show(box: Box): void {
  const room = document.querySelector(".ed-canvas")?.getBoundingClientRect();
  if (room) keep(box, room, 150);
}

/** Moves the canvas by as little as brings a box into it. */
function keep(box: Box, room: { width: number; height: number }, duration = 0): void {
  if (!flow) return;
  const { x, y, zoom } = flow.getViewport();
  const by = { x: into(x + box.x * zoom, box.width * zoom, room.width), y: into(y + box.y * zoom, box.height * zoom, room.height) };
  if (by.x || by.y) void flow.setViewport({ x: Math.round(x + by.x), y: Math.round(y + by.y), zoom }, { duration });
}

const EDGE = 24;

function into(from: number, size: number, room: number): number {
  if (from < EDGE) return EDGE - from;
  return Math.min(0, Math.max(room - EDGE - size, EDGE) - from);
}

export function Viewport(): null {
  const own = useReactFlow();
  useEffect(() => {
    flow = own;
  }, [own]);
  return null;
}
