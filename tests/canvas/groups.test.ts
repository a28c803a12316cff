// Groups of nodes beside the text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, follow, frames, group, groupsOf, ungroup } from "../../static/canvas/core/index.ts";

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
