// The layout of large graphs: layers by longest path, order by medians, columns packed. Linear but for sorting.
import type { Measures } from "./layout.ts";
import type { GEdge, Positions } from "./types.ts";

const GRID = 8;
const SWEEPS = 4;

interface Net { after: Map<string, string[]>; before: Map<string, string[]> }

/** `edges` must be free of circles. */
export function layered(ids: readonly string[], edges: readonly GEdge[], measures: Measures): Positions {
  const net = netOf(ids, edges);
  const rank = ranks(ids, net);
  const layers: string[][] = [];
  for (const id of ids) (layers[rank.get(id)!] ??= []).push(id);
  const order = new Map<string, number>();
  layers.forEach((layer) => layer.forEach((id, index) => order.set(id, index)));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) arrange(layers, net, order, sweep % 2 === 0);
  return place(layers, net, measures);
}

/** How many layers the wires cross in all; each costs dagre as much as a node. */
export function bends(ids: readonly string[], edges: readonly GEdge[]): number {
  const rank = ranks(ids, netOf(ids, edges));
  return edges.reduce((sum, { source, target }) => sum + rank.get(target)! - rank.get(source)! - 1, 0);
}

function netOf(ids: readonly string[], edges: readonly GEdge[]): Net {
  const net: Net = { after: new Map(ids.map((id) => [id, []])), before: new Map(ids.map((id) => [id, []])) };
  for (const { source, target } of edges) {
    net.after.get(source)!.push(target);
    net.before.get(target)!.push(source);
  }
  return net;
}

function ranks(ids: readonly string[], { after, before }: Net): Map<string, number> {
  const rank = new Map(ids.map((id) => [id, 0]));
  const waiting = new Map(ids.map((id) => [id, before.get(id)!.length]));
  const ready = ids.filter((id) => waiting.get(id) === 0);
  for (let at = 0; at < ready.length; at += 1) {
    const id = ready[at]!;
    for (const next of after.get(id)!) {
      rank.set(next, Math.max(rank.get(next)!, rank.get(id)! + 1));
      waiting.set(next, waiting.get(next)! - 1);
      if (waiting.get(next) === 0) ready.push(next);
    }
  }
  return rank;
}

function arrange(layers: string[][], { after, before }: Net, order: Map<string, number>, forward: boolean): void {
  const near = forward ? before : after;
  for (const layer of forward ? layers : [...layers].reverse()) {
    const wish = new Map(layer.map((id) => [id, median(near.get(id)!.map((one) => order.get(one)!)) ?? order.get(id)!]));
    layer.sort((a, b) => wish.get(a)! - wish.get(b)! || order.get(a)! - order.get(b)!);
    layer.forEach((id, index) => order.set(id, index));
  }
}

function median(values: number[]): number | undefined {
  if (!values.length) return undefined;
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 ? values[middle] : (values[middle - 1]! + values[middle]!) / 2;
}

/** Each node beside the middle of those that lead to it, as far as the column has room. */
function place(layers: readonly string[][], { before }: Net, { sizes, gapX, gapY }: Measures): Positions {
  const found: Positions = {};
  let x = GRID;
  for (const layer of layers) {
    let free = GRID;
    for (const id of layer) {
      const { height } = sizes.get(id)!;
      const middles = before.get(id)!.filter((one) => found[one]).map((one) => found[one]!.y + sizes.get(one)!.height / 2);
      const y = Math.max(free, Math.round(((median(middles) ?? free + height / 2) - height / 2) / GRID) * GRID);
      found[id] = { x, y };
      free = y + height + gapY;
    }
    x += Math.ceil((Math.max(...layer.map((id) => sizes.get(id)!.width)) + gapX) / GRID) * GRID;
  }
  return found;
}
