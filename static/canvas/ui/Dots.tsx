// The dots behind the flow: painted once and moved as a whole, where a pattern would be painted anew for every frame.
import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";

const GAP = 24;
/** Closer together on the screen they are noise, and every second one goes. */
const LEAST = 15;

export function spacing(zoom: number): number {
  let gap = GAP * zoom;
  while (gap < LEAST) gap *= 2;
  return gap;
}

export function Dots() {
  const place = useRef<HTMLDivElement>(null);
  const api = useStoreApi();
  useEffect(() => {
    let drawn = 0;
    const follow = (): void => {
      const [x, y, zoom] = api.getState().transform;
      const gap = spacing(zoom);
      const style = place.current!.style;
      if (drawn !== gap) style.setProperty("--gap", `${(drawn = gap)}px`);
      style.transform = `translate(${rest(x, gap)}px, ${rest(y, gap)}px)`;
    };
    follow();
    return api.subscribe((now, before) => void (now.transform !== before.transform && follow()));
  }, [api]);
  return <div ref={place} className="ed-dots" aria-hidden="true" />;
}

function rest(value: number, gap: number): number {
  return (((value % gap) + gap) % gap) - gap;
}
