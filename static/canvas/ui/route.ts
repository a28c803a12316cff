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
export function downward({ sx, sy, tx, ty }: Ends, given?: Lane): string {
  const y = given?.y ?? (ty > sy + STUB ? ty : sy + GAP);
  const first: Point[] = given?.out ? [[sx, given.out.y], [given.out.x, given.out.y], [given.out.x, y]] : [[sx, y]];
  const near = tx - STUB;
  return rounded([[sx, sy], ...first, ...(y === ty ? [] : [[near, y], [near, ty]] as Point[]), [tx, ty]]);
}

type Point = readonly [number, number];

/** A level stretch at the height `y`. */
export interface Lane {
  y: number;
  from: number;
  to: number;
  /** What stands right beneath the port: the way there is level at this height, and down at this place. */
  out?: { x: number; y: number };
}

/** Between the two nodes where the way is free; else the height below everything that stands between the two ends. */
export function backLane(ends: Ends, boxes: readonly Box[]): Lane {
  const left = Math.min(ends.tx, ends.sx) - STUB;
  const right = Math.max(ends.tx, ends.sx) + STUB;
  let y = Math.max(ends.sy, ends.ty) + GAP;
  const inside = boxes.filter((box) => box.x < right && box.x + box.width > left).sort((a, b) => a.y - b.y);
  const short = between(ends, inside);
  if (short !== null) return { y: short, from: left, to: right };
  for (const box of inside) {
    if (box.y - GAP / 2 < y && box.y + box.height + GAP > y) y = box.y + box.height + GAP;
  }
  return { y, from: left, to: right };
}

/** A height on the way from one end to the other at which nothing is touched, neither level nor up and down. */
function between({ sx, sy, tx, ty }: Ends, boxes: readonly Box[]): number | null {
  const [top, low] = [Math.min(sy, ty), Math.max(sy, ty)];
  const touched = (x: number, from: number, to: number): boolean => boxes.some((box) => box.x < x && box.x + box.width > x && box.y < Math.max(from, to) && box.y + box.height > Math.min(from, to));
  const heights = boxes.flatMap((box) => [box.y - GAP / 2, box.y + box.height + GAP / 2]).filter((y) => y > top && y < low);
  const free = heights.filter((y) => !boxes.some((box) => y > box.y - 8 && y < box.y + box.height + 8) && !touched(sx + STUB, sy, y) && !touched(tx - STUB, y, ty));
  return free.sort((a, b) => Math.abs(a - sy) - Math.abs(b - sy))[0] ?? null;
}

/** The first height below the failed node at which nothing stands in the way; the target's own if that is free. */
export function errorLane({ sx, sy, tx, ty }: Ends, boxes: readonly Box[]): Lane | null {
  const between = boxes.filter((box) => box.x < tx - STUB && box.x + box.width > sx - ROUND);
  const low = sy + GAP / 2;
  const free = (y: number, from: number): boolean => !between.some((box) => box.x + box.width > from - ROUND && y > box.y - GAP / 2 && y < box.y + box.height + GAP / 2);
  const clear = (x: number, top: number, y: number): boolean => !between.some((box) => box.x < x + ROUND && box.x + box.width > x - ROUND && box.y < Math.max(top, y) && box.y + box.height > Math.min(top, y));
  const heights = [ty, sy + GAP, ...between.flatMap((box) => [box.y - GAP / 2, box.y + box.height + GAP / 2])];
  const best = (x: number, top: number): number => {
    const fit = heights.filter((y) => y >= low && free(y, x) && clear(x, top, y));
    return fit.includes(ty) && ty > sy + STUB ? ty : Math.min(...fit);
  };
  const straight = best(sx, sy);
  if (Number.isFinite(straight)) return { y: straight, from: sx, to: tx };
  return sideways({ sx, sy, tx, ty }, between, best);
}

/** Something stands right beneath: out between the two, and down where there is room. */
function sideways({ sx, sy, tx }: Ends, between: readonly Box[], best: (x: number, top: number) => number): Lane | null {
  const beneath = between.filter((box) => box.x < sx + ROUND && box.y >= sy);
  const level = (sy + Math.min(...beneath.map((box) => box.y))) / 2;
  if (!Number.isFinite(level) || level - sy < 6) return null;
  for (const x of between.map((box) => box.x + box.width + GAP / 2).filter((x) => x > sx && x < tx - STUB).sort((a, b) => a - b)) {
    if (between.some((box) => box.x < x && box.x + box.width > sx && box.y < level + 4 && box.y + box.height > level - 4)) return null;
    const y = best(x, level);
    if (Number.isFinite(y)) return { y, from: sx, to: tx, out: { x, y: level } };
  }
  return null;
}

/** Along a lane: there in a curve, level past the nodes, and on to the target in a curve. */
export function along({ sx, sy, tx, ty }: Ends, { y, from, to }: Lane): string {
  const [a, b] = [Math.max(from, sx + 16), Math.min(to, tx - 16)];
  if (b <= a) return forward({ sx, sy, tx, ty });
  const [ra, rb] = [(a - sx) * 0.55, (tx - b) * 0.55];
  return `M${sx},${sy}C${sx + ra},${sy} ${a - ra},${y} ${a},${y}L${b},${y}C${b + rb},${y} ${tx - rb},${ty} ${tx},${ty}`;
}

export function backward({ sx, sy, tx, ty }: Ends, given?: number): string {
  const lane = given ?? Math.max(sy, ty) + GAP;
  return rounded([[sx, sy], [sx + STUB, sy], [sx + STUB, lane], [tx - STUB, lane], [tx - STUB, ty], [tx, ty]]);
}

export function rounded(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first[0]},${first[1]}`;
  rest.forEach((corner, index) => {
    const next = rest[index + 1];
    path += next ? bend(points[index]!, corner, next) : `L${corner[0]},${corner[1]}`;
  });
  return path;
}

function bend(from: Point, corner: Point, to: Point): string {
  const size = Math.min(ROUND, distance(from, corner) / 2, distance(corner, to) / 2);
  const [ax, ay] = toward(corner, from, size);
  const [bx, by] = toward(corner, to, size);
  return `L${ax},${ay}Q${corner[0]},${corner[1]} ${bx},${by}`;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function toward(from: Point, to: Point, size: number): [number, number] {
  const far = distance(from, to) || 1;
  return [from[0] + ((to[0] - from[0]) * size) / far, from[1] + ((to[1] - from[1]) * size) / far];
}
