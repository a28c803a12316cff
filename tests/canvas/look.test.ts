// What is seen first: all of it, or the largest group at a size that can be read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clusters } from "../../static/canvas/ui/clusters";
import { lookAt } from "../../static/canvas/ui/firstview";

const ROOM = { width: 1000, height: 700 };
const box = (x: number, y: number) => ({ x, y, width: 224, height: 52 });

function seen(nodes: ReturnType<typeof box>[], room = ROOM): number {
  const { x, y, zoom } = lookAt(nodes, room);
  return nodes.filter((one) => one.x * zoom + x >= 0 && (one.x + one.width) * zoom + x <= room.width && one.y * zoom + y >= 0 && (one.y + one.height) * zoom + y <= room.height).length;
}

test("of groups far apart the largest is seen whole, and can be read", () => {
  const group = [box(9000, -8000), box(9300, -8000), box(9600, -7900)];
  const nodes = [box(0, 0), ...group, box(-7000, 9000)];
  assert.equal(seen(nodes), 3);
  assert.ok(lookAt(nodes, ROOM).zoom >= 0.65);
  assert.deepEqual(clusters(nodes)[0], group);
});

test("a chain of near nodes is one group, however long", () => {
  const chain = Array.from({ length: 40 }, (_, at) => box(at * 800, at * 300));
  assert.equal(clusters(chain).length, 1);
  assert.ok(seen(chain) >= 1);
});

test("a phone sees a node of any flow", () => {
  const phone = { width: 390, height: 600 };
  for (const nodes of [[box(0, 0)], [box(0, 0), box(0, 5000)], [box(400, 3000), box(0, 0), box(200, 6000)]]) assert.ok(seen(nodes, phone) >= 1, JSON.stringify(nodes));
});
