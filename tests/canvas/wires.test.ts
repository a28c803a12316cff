// Wires keep clear of nodes: lanes past them forwards, below them backwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, tidy } from "../../static/canvas/core/index.ts";
import { lanesOf } from "../../static/canvas/ui/lanes";
import { shapeOf } from "../../static/canvas/ui/shape";
import { along, backward, downward, forward, leadsBack } from "../../static/canvas/ui/route";

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

test("a wire that leads back to a node far below passes between the two, not behind that node", () => {
  const found = lane("c", "a", { a: { x: 560, y: 300 }, b: { x: 0, y: 900 }, c: { x: 500, y: 0 } });
  assert.ok(found && found.y > 52 && found.y < 300, `${found?.y} is not between them`);
});

test("paths begin and end at their ports", () => {
  const ends = { sx: 10, sy: 20, tx: 400, ty: 90 };
  for (const path of [forward(ends), along(ends, { y: 200, from: 100, to: 300 }), backward({ ...ends, tx: -50 }, 300)]) {
    assert.ok(path.startsWith("M10,20"));
    assert.match(path, /(400,90|-50,90)$/);
  }
  assert.ok(leadsBack({ sx: 10, sy: 0, tx: 0, ty: 0 }));
});

test("what a failure takes passes beneath the nodes in its way, not into their ports", () => {
  const graph = parse(TEXT.replace("peers: [b, c]}", "peers: [b], onError: c}"));
  const id = graph.edges.find((one) => one.sourcePort === "error")!.id;
  const found = (places: Record<string, { x: number; y: number }>) => lanesOf(graph, places).get(id)!.y;
  assert.ok(found({ a: { x: 0, y: 0 }, b: { x: 300, y: 60 }, c: { x: 600, y: 0 } }) > 60 + 52);
  assert.equal(found({ a: { x: 0, y: 0 }, b: { x: 300, y: 0 }, c: { x: 600, y: 200 } }), 226);
  assert.ok(downward({ sx: 10, sy: 52, tx: 400, ty: 26 }, { y: 90, from: 10, to: 400 }).includes(",90"));
});

test("level wires lead from triggers to cards on the grid", () => {
  const [trigger, card] = [shapeOf({ kind: "trigger" } as never), shapeOf({ kind: "map" } as never)];
  assert.equal((trigger.ports[0]!.y - card.ports[0]!.y) % 8, 0);
});

test("a failure whose way down is barred leaves between the two nodes and passes beneath all of them", () => {
  const graph = parse(TEXT.replace("peers: [b, c]}", "peers: [b], onError: c}"));
  const id = graph.edges.find((one) => one.sourcePort === "error")!.id;
  const places = { a: { x: 0, y: 0 }, b: { x: 0, y: 76 }, c: { x: 900, y: 400 } };
  const found = lanesOf(graph, places).get(id)!;
  assert.ok(found.out && found.out.y > 52 && found.out.y < 76, "between them");
  assert.ok(found.out.x > 224, "past the one below");
  const path = downward({ sx: 34, sy: 52, tx: 900, ty: 426 }, found);
  assert.ok(path.startsWith("M34,52") && path.endsWith("L900,426"));
  assert.ok(path.includes(`,${found.out.y}`));
});

const FORK = `organism: {name: fork}
listeners:
  - {name: ask, handler: builtin:http, with: {url: "https://example.org"}, onError: sorry, peers: [check]}
  - {name: sorry, handler: builtin:output}
  - {name: check, handler: builtin:branch, with: {cases: [{if: "true", to: yes-it-is}, {if: "false", to: perhaps}], else: never}}
  - {name: never, handler: builtin:output}
  - {name: perhaps, handler: builtin:output}
  - {name: yes-it-is, handler: builtin:output}
`;

test("tidied, the wires of a node leave in the order in which they arrive", () => {
  const graph = parse(FORK);
  const places = tidy(graph, { size: (node) => shapeOf(node) });
  const heights = ["yes-it-is", "perhaps", "never"].map((name) => places[name]!.y);
  assert.deepEqual(heights, [...heights].sort((a, b) => a - b));
  assert.ok(places.sorry!.y > places.check!.y, "what a failure leads to stands below");
  const boxes = graph.nodes.map((node) => ({ ...places[node.id]!, ...shapeOf(node) }));
  for (const [at, one] of boxes.entries()) for (const other of boxes.slice(at + 1)) {
    assert.ok(one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y, "two nodes overlap");
  }
});
