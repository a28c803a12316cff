// An unquoted text is in the browser what it is on the server: the same table as tests/bundles/test_scalars.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { apply, parse } from "../../static/canvas/core/index.ts";
import { plain, readTree } from "../../static/canvas/core/tree.ts";

interface Row { text: string; value: unknown }
const ROWS = JSON.parse(readFileSync(process.env.SCALARS!, "utf8")) as Row[];

/** A whole number beyond what a number of JavaScript holds stands as text in the table, and is one on the canvas. */
function wanted({ value }: Row): unknown {
  return typeof value === "object" && value !== null ? (value as { whole: string }).whole : value;
}

test("the table is there", () => assert.ok(ROWS.length > 100));

for (const row of ROWS) {
  test(`'${row.text}' is what the server reads`, () => {
    const tree = readTree(`value: ${row.text}\n`);
    assert.deepEqual(tree.faults, []);
    assert.deepEqual(plain(tree.root), { value: wanted(row) });
  });
}

test("a form shows what will run, and what it writes is read as it was meant", () => {
  const text = "organism: {name: odd}\nlisteners:\n  - {name: a, handler: builtin:output, with: {status: 0310}, retries: 1_0, disabled: off}\n";
  const node = parse(text).nodes[0]!;
  assert.deepEqual([node.options.status, node.fields.retries, node.disabled], [200, 10, false]);
  for (const value of ["017", "yes", "1_000", "1:30", "~", "0o17", ".inf", "2024-01-01", "=", 15, 1e21, 0.000001, true, null]) {
    const done = apply(text, { op: "setField", name: "a", path: "with.body", value });
    assert.deepEqual(parse(done.text).nodes[0]!.options.body, value, done.text);
  }
});
