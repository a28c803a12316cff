// Which nodes stand together: a flow drawn in groups far apart is first looked at where most of it is.
import type { Box } from "./route";

/** Further apart than this, edge to edge, nodes are not seen as one group. */
const APART = 640;

/** Groups of boxes that stand near each other, the largest first; among equals the one that holds the earlier box. */
export function clusters<B extends Box>(boxes: readonly B[]): B[][] {
  const left = new Set(boxes);
  const found: B[][] = [];
  for (const box of boxes) {
    if (!left.delete(box)) continue;
    const group = [box];
    for (let at = 0; at < group.length; at += 1) {
      for (const other of left) {
        if (near(group[at]!, other)) left.delete(other), group.push(other);
      }
    }
    found.push(group);
  }
  return found.sort((a, b) => b.length - a.length);
}

function near(a: Box, b: Box): boolean {
  return gap(a.x, a.width, b.x, b.width) < APART && gap(a.y, a.height, b.y, b.height) < APART;
}

function gap(a: number, sizeA: number, b: number, sizeB: number): number {
  return Math.max(a - (b + sizeB), b - (a + sizeA), 0);
}
