// Wires keep clear of nodes: lanes past them forwards, below them backwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../../static/canvas/core/index.ts";
import { lanesOf } from "../../static/canvas/ui/lanes";
import { along, backward, forward, leadsBack } from "../../static/canvas/ui/route";

const TEXT = `organism: {name: w}
listeners:
  - {name: a, handler: builtin:map, with: {expr: payload}, peers: [b, c]}
  - {name: b, handler: builtin:map, with: {expr: payload}, peers: [c]}
  - {name: c, handler: builtin:map, with: {expr: payload}, peers: [a]}
`;
const ROW = { a: { x: 0, y: 0 }, b: { x: 300, y: 0 }, c: { x: 600, y: 0 } };

function lane(from: string, to: string, places = ROW) {
  const graph = parse(TEXT);
  const edge = graph.edges.find((one) => one.source === from && one.target === to)!;
  return lanesOf(graph, places).get(edge.id);
}

test("a wire past a node takes a lane above or below it", () => {
  const found = lane("a", "c");
  assert.ok(found);
  assert.ok(found.y < 0 || found.y > 52, `${found.y} runs through the node`);
  assert.ok(found.from <= 300 && found.to >= 524);
});

test("a wire with nothing in its way needs no lane", () => {
  assert.equal(lane("a", "b"), undefined);
  assert.equal(lane("a", "c", { ...ROW, b: { x: 300, y: 400 } }), undefined);
});

test("a wire that leads back passes below everything between its ends", () => {
  const found = lane("c", "a", { ...ROW, b: { x: 300, y: 60 } });
  assert.ok(found);
  assert.ok(found.y > 60 + 52);
});

test("paths begin and end at their ports", () => {
  const ends = { sx: 10, sy: 20, tx: 400, ty: 90 };
  for (const path of [forward(ends), along(ends, { y: 200, from: 100, to: 300 }), backward({ ...ends, tx: -50 }, 300)]) {
    assert.ok(path.startsWith("M10,20"));
    assert.match(path, /(400,90|-50,90)$/);
  }
  assert.ok(leadsBack({ sx: 10, sy: 0, tx: 0, ty: 0 }));
});
