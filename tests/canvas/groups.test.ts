// Groups of nodes beside the text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, collapse, folded, follow, frames, group, groupMarks, groupsOf, marked, parse, ungroup } from "../../static/canvas/core/index.ts";

const PLACES = { a: { x: 0, y: 0 }, b: { x: 300, y: 100 }, c: { x: 900, y: 0 } };
const SIZES = new Map(Object.keys(PLACES).map((name) => [name, { width: 224, height: 52 }]));

test("a frame stands around its members, wherever they are", () => {
  const { canvas, id } = group({}, ["a", "b"]);
  const [frame] = frames(canvas, PLACES, SIZES);
  assert.equal(frame!.id, id);
  assert.ok(frame!.x < 0 && frame!.y < 0 && frame!.x + frame!.width > 524 && frame!.y + frame!.height > 152);
  assert.ok(frame!.x + frame!.width < PLACES.c.x);
});

test("a node is in one group, and a group without members is gone", () => {
  const first = group({}, ["a", "b"]);
  const second = group(first.canvas, ["b", "c"]);
  assert.deepEqual(groupsOf(second.canvas, ["b"]), [second.id]);
  assert.deepEqual(second.canvas.groups![first.id]!.members, ["a"]);
  const third = group(second.canvas, ["a"]);
  assert.ok(!(first.id in third.canvas.groups!));
  assert.deepEqual(Object.keys(ungroup(third.canvas, [third.id]).groups!), [second.id]);
});

test("groups follow what becomes of names in the text", () => {
  const text = "organism: {name: g}\nlisteners:\n  - {name: a, handler: builtin:join, peers: [b]}\n  - {name: b, handler: builtin:join}\n";
  const { canvas, id } = group({}, ["a", "b"]);
  const renamed = follow(canvas, apply(text, { op: "renameNode", name: "b", to: "z" }));
  assert.deepEqual(renamed.groups![id]!.members, ["a", "z"]);
  const removed = follow(canvas, apply(text, { op: "removeNodes", names: ["a", "b"] }));
  assert.deepEqual(removed.groups, {});
});

test("a canvas from elsewhere with strange groups draws what can be drawn", () => {
  const strange = { groups: { x: null, y: { members: 3 }, z: { name: 4, members: ["nobody", "a"] } } } as never;
  assert.deepEqual(frames(strange, PLACES, SIZES).map((one) => [one.id, one.name, one.members]), [["z", "4", ["a"]]]);
});

const CHAIN = `organism: {name: g}
triggers: [{name: t, type: manual, to: a}]
listeners:
  - {name: a, handler: builtin:join, peers: [b]}
  - {name: b, handler: builtin:join, peers: [c], onError: c}
  - {name: c, handler: builtin:output}
`;

test("a collapsed group is one box with the wires of its members to others", () => {
  const graph = parse(CHAIN);
  const { canvas, id } = group({}, ["a", "b"]);
  const closed = collapse(canvas, [id], true);
  const all = frames(closed, PLACES, SIZES);
  assert.deepEqual([all[0]!.x, all[0]!.y, all[0]!.width], [0, 0, 224]);
  const seen = folded(graph, all);
  assert.deepEqual(seen.nodes.map((node) => node.id), ["t", "c", `group:${id}`]);
  assert.deepEqual(seen.edges.map((edge) => [edge.source, edge.sourcePort, edge.target]), [["t", "trigger", `group:${id}`], [`group:${id}`, "peer", "c"]]);
  assert.equal(folded(graph, frames(collapse(closed, [id], false), PLACES, SIZES)), graph);
});

test("two collapsed groups and a whole flow in one are drawn too", () => {
  const graph = parse(CHAIN);
  const two = group(group({}, ["t", "a"]).canvas, ["b", "c"]).canvas;
  const places = { ...PLACES, t: { x: -100, y: 0 } };
  const sizes = new Map(Object.keys(places).map((name) => [name, { width: 224, height: 52 }]));
  const seen = folded(graph, frames(collapse(two, ["g1", "g2"], true), places, sizes));
  assert.deepEqual(seen.edges.map((edge) => [edge.source, edge.target]), [["group:g1", "group:g2"]]);
  const one = group({}, ["t", "a", "b", "c"]).canvas;
  assert.deepEqual(folded(graph, frames(collapse(one, ["g1"], true), places, sizes)).edges, []);
});

test("groups go with copies of all their nodes, and strange marks do nothing", () => {
  const { canvas } = group({}, ["a", "b"]);
  assert.equal(groupMarks(canvas, ["a"]), "");
  const marks = groupMarks(canvas, ["a", "b", "c"]);
  const copied = marked(canvas, `${marks}listeners: []`, { a2: "a", b2: "b" });
  assert.deepEqual(Object.values(copied.groups!).map((one) => one.members), [["a", "b"], ["a2", "b2"]]);
  assert.equal(Object.values(copied.groups!)[1]!.name, "Group 1");
  for (const strange of ["# group {", "# group 3", "# group [1, null]", '# group ["x"]', '# group ["x", "nobody"]']) assert.equal(marked(canvas, strange, { a2: "a" }), canvas);
});
