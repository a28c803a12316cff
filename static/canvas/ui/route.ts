// The paths of wires: gentle curves forwards, and around the nodes when a wire leads back.
export interface Ends {
  sx: number;
  sy: number;
  tx: number;
  ty: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const STUB = 22;
const GAP = 26;
const ROUND = 10;

export function leadsBack({ sx, tx }: Ends): boolean {
  return tx < sx + STUB;
}

export function forward({ sx, sy, tx, ty }: Ends): string {
  if (Math.abs(sy - ty) < 1) return `M${sx},${sy}L${tx},${ty}`;
  const reach = Math.max(36, Math.min(120, (tx - sx) * 0.5));
  return `M${sx},${sy}C${sx + reach},${sy} ${tx - reach},${ty} ${tx},${ty}`;
}

/** From a port on the lower edge: down first, then over to the target. */
export function downward({ sx, sy, tx, ty }: Ends, given?: number): string {
  const lane = given ?? (ty > sy + STUB ? ty : sy + GAP);
  if (lane === ty) return rounded([[sx, sy], [sx, ty], [tx, ty]]);
  const near = tx - STUB;
  return rounded([[sx, sy], [sx, lane], [near, lane], [near, ty], [tx, ty]]);
}

/** A level stretch at the height `y`. */
export interface Lane {
  y: number;
  from: number;
  to: number;
}

/** The height below everything that stands between the two ends. */
export function backLane(ends: Ends, boxes: readonly Box[]): Lane {
  const left = Math.min(ends.tx, ends.sx) - STUB;
  const right = Math.max(ends.tx, ends.sx) + STUB;
  let y = Math.max(ends.sy, ends.ty) + GAP;
  const inside = boxes.filter((box) => box.x < right && box.x + box.width > left).sort((a, b) => a.y - b.y);
  for (const box of inside) {
    if (box.y - GAP / 2 < y && box.y + box.height + GAP > y) y = box.y + box.height + GAP;
  }
  return { y, from: left, to: right };
}

/** The first height below the failed node at which nothing stands in the way; the target's own if that is free. */
export function errorLane({ sx, sy, tx, ty }: Ends, boxes: readonly Box[]): Lane | null {
  const between = boxes.filter((box) => box.x < tx - STUB && box.x + box.width > sx - ROUND);
  const free = (y: number): boolean => !between.some((box) => y > box.y - GAP / 2 && y < box.y + box.height + GAP / 2);
  const clear = (y: number): boolean => !between.some((box) => box.x < sx + ROUND && box.y < y && box.y + box.height > sy);
  const heights = [sy + GAP, ...between.flatMap((box) => [box.y - GAP / 2, box.y + box.height + GAP / 2])].filter((y) => y >= sy + GAP / 2 && free(y) && clear(y));
  const near = ty > sy + STUB && free(ty) && clear(ty) ? ty : Math.min(...heights);
  return Number.isFinite(near) ? { y: near, from: sx, to: tx } : null;
}

/** Along a lane: there in a curve, level past the nodes, and on to the target in a curve. */
export function along({ sx, sy, tx, ty }: Ends, { y, from, to }: Lane): string {
  const [a, b] = [Math.max(from, sx + 16), Math.min(to, tx - 16)];
  if (b <= a) return forward({ sx, sy, tx, ty });
  const [ra, rb] = [(a - sx) * 0.55, (tx - b) * 0.55];
  return `M${sx},${sy}C${sx + ra},${sy} ${a - ra},${y} ${a},${y}L${b},${y}C${b + rb},${y} ${tx - rb},${ty} ${tx},${ty}`;
}

export function backward({ sx, sy, tx, ty }: Ends, given: number): string {
  const lane = Math.max(given, Math.max(sy, ty) + GAP);
  return rounded([[sx, sy], [sx + STUB, sy], [sx + STUB, lane], [tx - STUB, lane], [tx - STUB, ty], [tx, ty]]);
}

export function rounded(points: readonly (readonly [number, number])[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first[0]},${first[1]}`;
  rest.forEach((corner, index) => {
    const next = rest[index + 1];
    path += next ? bend(points[index]!, corner, next) : `L${corner[0]},${corner[1]}`;
  });
  return path;
}

function bend(from: readonly [number, number], corner: readonly [number, number], to: readonly [number, number]): string {
  const size = Math.min(ROUND, distance(from, corner) / 2, distance(corner, to) / 2);
  const [ax, ay] = toward(corner, from, size);
  const [bx, by] = toward(corner, to, size);
  return `L${ax},${ay}Q${corner[0]},${corner[1]} ${bx},${by}`;
}

function distance(a: readonly [number, number], b: readonly [number, number]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function toward(from: readonly [number, number], to: readonly [number, number], size: number): [number, number] {
  const far = distance(from, to) || 1;
  return [from[0] + ((to[0] - from[0]) * size) / far, from[1] + ((to[1] - from[1]) * size) / far];
}
