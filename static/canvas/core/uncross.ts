// Dagre knows no ports: nodes of a column change places where their wires then cross less, seen from port to port.
import type { Measures } from "./layout.ts";
import type { GEdge, Positions } from "./types.ts";

interface Line { x1: number; y1: number; x2: number; y2: number; port: string; target: string; failed: boolean }
interface Net { places: Positions; measures: Measures; edges: readonly GEdge[]; touching: Map<string, GEdge[]> }

const IN = 26;
const ROUNDS = 6;
/** A failure leaves at the lower edge and goes on below, so whoever gets it stands below the others. */
const BENEATH = 20;

/** Changes `places`. */
export function uncross(places: Positions, edges: readonly GEdge[], measures: Measures): void {
  const touching = new Map<string, GEdge[]>();
  for (const edge of edges) for (const id of [edge.source, edge.target]) touching.set(id, [...(touching.get(id) ?? []), edge]);
  const net = { places, measures, edges, touching };
  const all = columns(net);
  for (let round = 0; round < ROUNDS; round += 1) if (!all.map((column) => better(column, net)).some(Boolean)) return;
}

/** Nodes with the same middle, from left to right. */
function columns({ places, measures: { sizes } }: Net): string[][] {
  const found = new Map<number, string[]>();
  for (const [id, { x }] of Object.entries(places)) {
    const middle = Math.round((x + sizes.get(id)!.width / 2) / 16);
    found.set(middle, [...(found.get(middle) ?? []), id]);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, ids]) => ids).filter((ids) => ids.length > 1);
}

function better(column: string[], net: Net): boolean {
  let changed = false;
  column.sort((a, b) => net.places[a]!.y - net.places[b]!.y);
  for (let upper = 0; upper < column.length; upper += 1) {
    for (let lower = upper + 1; lower < column.length; lower += 1) {
      if (!tried(column[upper]!, column[lower]!, lower - upper, net)) continue;
      [column[upper], column[lower]] = [column[lower]!, column[upper]!];
      changed = true;
    }
  }
  return changed;
}

/** Exchanges two nodes, and keeps that only if fewer wires cross. */
function tried(upper: string, lower: string, apart: number, net: Net): boolean {
  const { places, measures: { sizes } } = net;
  const [a, b] = [places[upper]!, places[lower]!];
  const [high, low] = [sizes.get(upper)!.height, sizes.get(lower)!.height];
  if (apart > 1 && high !== low) return false;
  const before = crossings(upper, lower, net);
  if (!before) return false;
  places[lower] = { x: b.x, y: a.y };
  places[upper] = { x: a.x, y: b.y + low - high };
  if (crossings(upper, lower, net) < before) return true;
  [places[upper], places[lower]] = [a, b];
  return false;
}

/** Of the wires at these two with all wires. */
function crossings(one: string, other: string, net: Net): number {
  const own = new Set([...(net.touching.get(one) ?? []), ...(net.touching.get(other) ?? [])]);
  const mine = [...own].map((edge) => [edge, lineOf(edge, net)] as const);
  let found = 0;
  for (const edge of net.edges) {
    const line = lineOf(edge, net);
    for (const [with_, of] of mine) if (edge !== with_ && (!own.has(edge) || edge.id < with_.id) && cross(line, of, edge.source === with_.source)) found += 1;
  }
  return found;
}

function lineOf({ source, target, sourcePort }: GEdge, { places, measures: { sizes } }: Net): Line {
  const [from, to] = [places[source]!, places[target]!];
  const size = sizes.get(source)!;
  const failed = sourcePort === "error";
  const y1 = from.y + (failed ? size.height + BENEATH : size.ports?.find((port) => port.id === sourcePort)?.y ?? IN);
  const y2 = to.y + IN;
  return { x1: from.x + size.width, y1, x2: to.x, y2: failed ? Math.max(y1, y2) : y2, port: `${source} ${sourcePort}`, target, failed };
}

/** Wires that share an end do not cross there; what a failure takes keeps clear of nodes, and crosses elsewhere. */
function cross(a: Line, b: Line, together: boolean): boolean {
  if (a.target === b.target || a.port === b.port) return false;
  if (together) return a.y1 < b.y1 ? a.y2 > b.y2 : a.y2 < b.y2;
  if (a.failed || b.failed) return false;
  const side = (line: Line, x: number, y: number): number => (line.x2 - line.x1) * (y - line.y1) - (line.y2 - line.y1) * (x - line.x1);
  return side(a, b.x1, b.y1) * side(a, b.x2, b.y2) < 0 && side(b, a.x1, a.y1) * side(b, a.x2, a.y2) < 0;
}
