// What is drawn beyond the edges of the canvas, so that a canvas that moves does not make nodes in every other frame.
import { useStoreApi, type Transform } from "@xyflow/react";
import { useEffect } from "react";

/** On the screen; what is drawn changes each time the canvas has moved by twice as much. */
export const MARGIN = 96;

let margin = 0;

interface Seen {
  width: number;
  height: number;
  transform: Transform;
}

/** The same for all places of the canvas within a step; it holds what is seen from any of them. vite.config.ts hands it to React Flow. */
export function around({ width, height, transform: [x, y, zoom] }: Seen): Seen {
  if (!margin) return { width, height, transform: [x, y, zoom] };
  return { width: width + 2 * margin, height: height + 2 * margin, transform: [step(x) + margin, step(y) + margin, zoom] };
}

function step(value: number): number {
  return Math.round(value / (2 * margin)) * 2 * margin;
}

export function widen(): void {
  margin = MARGIN;
}

/** Only once there is a picture: the first one is not to wait for what nobody sees. */
export function Widened(): null {
  const api = useStoreApi();
  useEffect(() => {
    const later = window.setTimeout(() => {
      widen();
      api.setState({});
    }, 400);
    return () => clearTimeout(later);
  }, [api]);
  return null;
}
