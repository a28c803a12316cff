// 500 random flows, 200 random edits each: what an edit does not name stays, and undo leads back byte for byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse as yaml } from "yaml";
import { apply, History, parse, type Applied, type Graph, type Op } from "../../static/canvas/core/index.ts";
import { equal } from "../../static/canvas/core/diff.ts";
import { Dice, randomFlow, randomOp } from "./random.ts";

const FLOWS = Number(process.env.FLOWS ?? 500);
const EDITS = Number(process.env.EDITS ?? 200);
const FIRST = Number(process.env.FIRST ?? 1);

/** The names of nodes that an edit may change; all others keep every value. */
function touched(op: Op, before: Graph, done: Applied): Set<string> {
  const own = op.op === "setField" ? [op.name] : op.op === "connect" ? [op.wire.source] : op.op === "disconnect" ? op.wires.map((wire) => wire.source) : op.op === "reconnect" ? [op.wire.source, op.to.source] : op.op === "insertOnEdge" ? [op.wire.source, ...(typeof op.node === "string" ? [op.node] : [])] : op.op === "setDisabled" ? [...op.names] : [];
  const named = op.op === "renameNode" ? [op.name] : op.op === "removeNodes" ? [...op.names] : [];
  const around = before.edges.filter((edge) => named.includes(edge.target)).map((edge) => edge.source);
  const mentioned = before.dangling.filter((edge) => named.some((name) => name.toLowerCase() === edge.target.toLowerCase())).map((edge) => edge.source);
  return new Set([...own, ...named, ...around, ...mentioned, ...done.created, ...Object.keys(done.renamed), ...Object.values(done.renamed)]);
}

function comments(text: string): string[] {
  return [...text.matchAll(/# (about \w+|A flow|the end|unknown|its name|none yet)/g)].map((one) => one[0]);
}

function usesSteps(fields: unknown): boolean {
  return JSON.stringify(fields).includes("steps");
}

/** Another reader than ours, which takes the text as one: it sees the same nodes, and the rest as it was. */
function asOne(before: string, after: string, now: Graph): void {
  const read = yaml(after) as Record<string, unknown>;
  const was = yaml(before) as Record<string, unknown>;
  for (const key of ["organism", "x-tail"]) assert.ok(equal(read?.[key], was?.[key]), `${key} changed`);
  const listeners = (read.listeners ?? []) as Record<string, unknown>[];
  assert.deepEqual(listeners, now.nodes.filter((node) => node.kind !== "trigger").map((node) => node.fields));
}

function check(before: string, op: Op, done: Applied, whole: boolean): void {
  const [old, now] = [parse(before), parse(done.text)];
  assert.deepEqual(now.problems.filter((one) => one.severity === "error" && /YAML|twice|indent|flow/i.test(one.message)), []);
  if (whole) asOne(before, done.text, now);
  const free = touched(op, old, done);
  const byId = new Map(now.nodes.map((node) => [node.id, node]));
  for (const node of old.nodes) {
    if (free.has(node.id) || (op.op === "renameNode" && usesSteps(node.fields))) continue;
    assert.deepEqual(byId.get(node.id)?.fields, node.fields, `${node.id} changed`);
  }
  if (op.op !== "removeNodes" && op.op !== "disconnect" && op.op !== "setField") for (const comment of new Set(comments(before))) assert.ok(done.text.includes(comment), `lost ${comment}`);
  if (before.includes("\r\n")) assert.ok(!/[^\r]\n/.test(done.text), "mixed line ends");
  if (done.text && before && !before.endsWith("\n")) assert.ok(!done.text.endsWith("\n"), "a final newline came");
  wires(op, old, now, done);
}

function wires(op: Op, old: Graph, now: Graph, done: Applied): void {
  const has = (graph: Graph, source: string, port: string, target: string): boolean => graph.edges.some((edge) => edge.source === source && edge.sourcePort === port && edge.target === target);
  if (op.op === "connect" && !/^case/.test(op.wire.port)) assert.ok(has(now, op.wire.source, op.wire.port, op.wire.target), "no wire");
  if (op.op === "disconnect") for (const wire of op.wires) assert.ok(wire.port === "trigger" || !has(now, wire.source, wire.port, wire.target), "wire still there");
  if (op.op === "removeNodes") for (const name of op.names) assert.ok(!now.nodes.some((node) => node.id === name) && !now.dangling.some((edge) => edge.target === name && !old.dangling.some((one) => one.target === name)), "still there");
  if (op.op === "renameNode" && done.renamed[op.name]) {
    const to = done.renamed[op.name]!;
    const follow = (id: string): string => done.renamed[id] ?? id;
    assert.deepEqual(new Set(now.edges.map((edge) => edge.id)), new Set(old.edges.map((edge) => `${follow(edge.source)}>${edge.sourcePort}>${follow(edge.target)}`)), `edges after ${to}`);
  }
  if (op.op === "addNode") assert.ok(now.nodes.some((node) => node.id === done.created[0]), "not added");
}

test(`${FLOWS} random flows × ${EDITS} random edits keep what they do not name; undo leads back`, () => {
  let [made, refused] = [0, 0];
  for (let seed = FIRST; seed < FIRST + FLOWS; seed += 1) {
    const dice = new Dice(seed);
    const start = randomFlow(dice);
    assert.equal(parse(start).broken, false, `seed ${seed}\n${start}`);
    const history = new History({ text: start });
    for (let edit = 0; edit < EDITS; edit += 1) {
      const before = history.now.text;
      const op = randomOp(dice, parse(before));
      const done = apply(before, op);
      if (!done.ok) assert.equal(done.text, before), (refused += 1);
      else made += 1;
      try {
        if (done.problems[0]?.message.startsWith("This edit did not work")) assert.fail(done.problems[0].message);
        if (done.problems[0]?.message.startsWith("This cannot be written")) assert.fail(done.problems[0].hint);
        if (done.ok) check(before, op, done, edit % 8 === 0);
      } catch (wrong) {
        throw new Error(`${String((wrong as Error).message)}\nseed ${seed}, edit ${edit}, ${JSON.stringify(op)}\n--- before\n${before}\n--- after\n${done.text}\n---`, { cause: wrong });
      }
      history.push({ text: done.text });
    }
    while (history.undo());
    assert.equal(history.now.text, start, `undo of seed ${seed}`);
  }
  assert.ok(made > refused * 4, `${made} edits made, ${refused} refused`);
});
