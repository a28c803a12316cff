// Documents of strangers (their folder in CORPUS): each is drawn, and nothing that was not edited changes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { apply, History, parse, tidy } from "../../static/canvas/core/index.ts";

const folder = process.env.CORPUS ?? "";
const files = folder ? readdirSync(folder).filter((name) => /\.(ya?ml|pdflow)$/.test(name)) : [];

for (const file of files) {
  test(`${file} is drawn, and undo leads back to its bytes`, () => {
    const bytes = readFileSync(join(folder, file));
    const text = bytes.toString("utf8");
    const graph = parse(text);
    assert.equal(graph.broken, false);
    assert.equal(Object.keys(tidy(graph)).length, graph.nodes.length);
    assert.ok(Buffer.from(text, "utf8").equals(bytes));
    if (graph.readOnly) return void assert.ok(graph.nodes.length > 0);
    const written = [...text.matchAll(/^ {2}- name: (\S+)/gm)].map((found) => found[1]);
    for (const node of graph.nodes) assert.ok(written.includes(node.name), node.name);
    const history = new History({ text });
    for (const node of graph.nodes) {
      const renamed = apply(history.now.text, { op: "renameNode", name: node.id, to: `${node.name}-x` });
      assert.equal(renamed.ok, true);
      history.push({ text: renamed.text });
      assert.equal(apply(renamed.text, { op: "renameNode", name: `${node.name}-x`, to: node.name }).text.length, history.undo()!.text.length);
      history.redo();
    }
    assert.equal(parse(history.now.text).edges.length, graph.edges.length);
    while (history.undo());
    assert.ok(Buffer.from(history.now.text, "utf8").equals(bytes));
  });
}

test("there is a corpus", () => assert.ok(files.length > 0));
