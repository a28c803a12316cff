// The ground with its dots: part of what moves, and opaque, so that words on it can share one layer with everything else.
import { useStoreApi, ViewportPortal, type Transform } from "@xyflow/react";
import { useEffect, useRef } from "react";

const GAP = 24;
/** Closer together on the screen they are noise, and every second one goes. */
const LEAST = 15;
/** On the screen, beyond each edge of the canvas; it is laid anew where the canvas leaves it. */
const BEYOND = 3000;

export function spacing(zoom: number): number {
  let gap = GAP;
  while (gap * zoom < LEAST) gap *= 2;
  return gap;
}

interface Ground {
  zoom: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function Dots() {
  return <ViewportPortal><Laid /></ViewportPortal>;
}

function Laid() {
  const place = useRef<HTMLDivElement>(null);
  const api = useStoreApi();
  useEffect(() => {
    let laid: Ground | null = null;
    const follow = (): void => {
      const { transform, width, height } = api.getState();
      const seen = groundOf(transform, width, height, 0);
      if (!laid || laid.zoom !== seen.zoom || !holds(laid, seen)) lay(place.current!.style, (laid = groundOf(transform, width, height, BEYOND)));
    };
    follow();
    return api.subscribe((now, before) => void ((now.transform !== before.transform || now.width !== before.width || now.height !== before.height) && follow()));
  }, [api]);
  return <div ref={place} className="ed-dots" aria-hidden="true" />;
}

function groundOf([x, y, zoom]: Transform, width: number, height: number, more: number): Ground {
  return { zoom, left: (-more - x) / zoom, top: (-more - y) / zoom, right: (width + more - x) / zoom, bottom: (height + more - y) / zoom };
}

function holds(ground: Ground, seen: Ground): boolean {
  return ground.left <= seen.left && ground.top <= seen.top && ground.right >= seen.right && ground.bottom >= seen.bottom;
}

function lay(style: CSSStyleDeclaration, { zoom, left, top, right, bottom }: Ground): void {
  const gap = spacing(zoom);
  const [x, y] = [Math.floor(left / gap) * gap, Math.floor(top / gap) * gap];
  style.setProperty("--gap", `${gap}px`);
  style.setProperty("--dot", `${1 / zoom}px`);
  Object.assign(style, { left: `${x}px`, top: `${y}px`, width: `${right - x}px`, height: `${bottom - y}px` });
}
