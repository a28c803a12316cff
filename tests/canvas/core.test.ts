// Operations of the canvas on texts as people write them: only what is meant changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse as yaml } from "yaml";
import { apply, copy, diff, differing, follow, freshName, History, merge3, parse, placed, search, tidy, together, type Applied, type Op } from "../../static/canvas/core/index.ts";

const HEAD = "organism: {name: q}\n";

function done(text: string, op: Op): Applied {
  const made = apply(text, op);
  assert.deepEqual(made.problems.filter((one) => one.severity === "error"), []);
  return made;
}

/** Lines that went and lines that came. */
function lines(before: string, after: string): { gone: string[]; come: string[] } {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const gone = [...old];
  const come = now.filter((line) => !(gone.includes(line) && gone.splice(gone.indexOf(line), 1)));
  return { gone, come };
}

const PLAIN = `# Top
organism:
  name: shop   # the name
  x-own: {a: 1}

triggers:
  - {name: hook, type: webhook, to: first}

listeners:
  # First of all
  # checks
  - name: first
    handler: wasm:order:check   # checks
    peers:
      - second   # always
      - third

  - name: second
    handler: 'builtin:branch'
    with:
      cases:
        - {if: "steps.first.total > 100", to: third}
      else: "first"
    onError: third

  # Last
  - {name: third, handler: builtin:output, with: {body: "\${steps.second.x}"}, x-k: [1, 2]}
`;

test("every port is a wire, and a trigger without a target leads to the first node", () => {
  const graph = parse(PLAIN);
  assert.deepEqual(graph.nodes.map((node) => `${node.name} ${node.kind}`), ["hook trigger", "first code", "second branch", "third output"]);
  assert.deepEqual(graph.edges.map((edge) => edge.id), ["hook>trigger>first", "first>peer>second", "first>peer>third", "second>case 0>third", "second>else>first", "second>error>third"]);
  assert.deepEqual(graph.problems, []);
  const bare = parse(`${HEAD}triggers:\n  - {name: t, type: manual}\nlisteners:\n  - {name: a, handler: builtin:join}\n`);
  assert.deepEqual(bare.edges.map((edge) => edge.id), ["t>trigger>a"]);
});

test("a rename changes every reference and nothing else", () => {
  const { text, renamed } = done(PLAIN, { op: "renameNode", name: "first", to: "check" });
  assert.deepEqual(lines(PLAIN, text), {
    gone: ["  - {name: hook, type: webhook, to: first}", "  - name: first", '        - {if: "steps.first.total > 100", to: third}', '      else: "first"'],
    come: ["  - {name: hook, type: webhook, to: check}", "  - name: check", '        - {if: "steps.check.total > 100", to: third}', '      else: "check"'],
  });
  assert.deepEqual(renamed, { first: "check" });
});

test("expressions are renamed as expressions: strings, other fields and literal dollars stay", () => {
  const text = `${HEAD}listeners:\n  - name: a\n    handler: builtin:map\n    with: {expr: 'steps.b.x + steps.bb + "steps.b" + x.steps.b'}\n  - {name: b, with: {body: "\${steps['b'].y} $\${steps.b} steps.b \${ {\\"k\\": steps.b} }"}}\n  - {name: c, with: {if: steps.b > 1}}\n`;
  const made = done(text, { op: "renameNode", name: "b", to: "b-2" }).text;
  assert.match(made, /expr: 'steps\["b-2"\]\.x \+ steps\.bb \+ "steps\.b" \+ x\.steps\.b'/);
  assert.ok(made.includes("${steps['b-2'].y} $${steps.b} steps.b ${ {\\\"k\\\": steps['b-2']} }"));
  assert.ok(made.includes(`{if: "steps['b-2'] > 1"}`));
  assert.equal(parse(made).broken, false);
});

test("a removed node takes its wires and the comment above it with it", () => {
  const { text, removed } = done(PLAIN, { op: "removeNodes", names: ["third"] });
  assert.deepEqual(lines(PLAIN, text), {
    gone: ["      - third", '        - {if: "steps.first.total > 100", to: third}', "    onError: third", "  # Last", `  - {name: third, handler: builtin:output, with: {body: "\${steps.second.x}"}, x-k: [1, 2]}`, ""],
    come: ['        - {if: "steps.first.total > 100"}'],
  });
  assert.deepEqual(removed, ["third"]);
  const first = done(PLAIN, { op: "removeNodes", names: ["first"] }).text;
  assert.ok(first.includes("listeners:\n  - name: second"));
});

test("a wire goes into the field that its port stands for", () => {
  const wires: [string, string, string][] = [["first", "error", "    onError: second"], ["second", "else", '      else: "second"'], ["second", "case 0", '        - {if: "steps.first.total > 100", to: second}'], ["second", "case 1", '        - {if: "true", to: second}'], ["second", "peer", "    peers: [second]"], ["first", "peer", "      - first"]];
  for (const [source, port, line] of wires) {
    const made = done(PLAIN, { op: "connect", wire: { source, port, target: source === "first" && port === "peer" ? "first" : "second" } }).text;
    assert.deepEqual(lines(PLAIN, made).come, [line], port);
  }
  assert.match(done(PLAIN, { op: "connect", wire: { source: "hook", port: "trigger", target: "second" } }).text, /to: second}/);
});

test("connecting and cutting again leaves the text as it was", () => {
  for (const port of ["peer", "error"]) {
    const wire = { source: "third", port, target: "first" };
    const made = done(PLAIN, { op: "connect", wire });
    assert.equal(done(made.text, { op: "disconnect", wires: [wire] }).text, PLAIN);
  }
});

test("a reconnected wire keeps its place and its comment", () => {
  const made = done(PLAIN, { op: "reconnect", wire: { source: "first", port: "peer", target: "second" }, to: { source: "first", port: "peer", target: "first" } }).text;
  assert.deepEqual(lines(PLAIN, made), { gone: ["      - second   # always"], come: ["      - first   # always"] });
});

test("a node is put into a wire", () => {
  const { text, created } = done(PLAIN, { op: "insertOnEdge", wire: { source: "second", port: "else", target: "first" }, node: { kind: "http" } });
  assert.deepEqual(created, ["request"]);
  const ids = parse(text).edges.map((edge) => edge.id);
  assert.ok(ids.includes("second>else>request") && ids.includes("request>peer>first") && !ids.includes("second>else>first"));
});

test("the first node comes into texts of every shape", () => {
  const shapes = ["", "# only a comment\n", HEAD, HEAD.trimEnd(), `${HEAD}listeners:\n`, `${HEAD}listeners: []\n`, `${HEAD}listeners: # none\n`, `${HEAD}listeners: ~\nx: 1\n`, '{"organism": {"name": "q"}}', '{"organism": {"name": "q"}, "listeners": []}', "{organism: {name: q}}\n", "organism: {name: q}\r\nlisteners:\r\n"];
  for (const shape of shapes) {
    const { text, created } = done(shape, { op: "addNode", node: { kind: "loop", fields: { description: "yes" } } });
    const graph = parse(text);
    assert.deepEqual(graph.nodes.map((node) => [node.name, node.kind, node.description]), [["loop", "loop", "yes"]], text);
    assert.deepEqual(created, ["loop"]);
    assert.equal(graph.broken, false);
    for (const part of ["# only a comment", "# none", "x: 1"]) if (shape.includes(part)) assert.ok(text.includes(part));
    if (shape.includes("\r\n")) assert.ok(!/[^\r]\n/.test(text));
    if (shape && !shape.endsWith("\n")) assert.ok(!text.endsWith("\n"));
  }
});

test("new nodes are written as their neighbours are", () => {
  const flow = `${HEAD}listeners:\n    - {name: a, handler: builtin:join}\n`;
  assert.match(done(flow, { op: "addNode", node: { kind: "join" } }).text, /\n {4}- \{name: join, handler: builtin:join, with: \{wait: all\}\}\n$/);
  const wide = `${HEAD}listeners: [{name: a}]`;
  assert.equal(done(wide, { op: "addNode", node: { kind: "code", handler: "wasm:a:b" } }).text, `${HEAD}listeners: [{name: a}, {name: b, handler: wasm:a:b}]`);
  assert.match(done(PLAIN, { op: "addNode", node: { kind: "agent" } }).text, /\n\n {2}- name: agent\n {4}agent: true\n/);
  assert.match(done(PLAIN, { op: "addNode", node: { kind: "output" }, from: { source: "first", port: "error" } }).text, /onError: answer\n/);
});

test("values stay what they are, however YAML might take them", () => {
  const texts = ["yes", "12", "1:30", "", " lead", "a: b", "x #y", "two\nlines\n", "a\n\n\nb", "  \n x", "*star", "- dash", "null", "~", "2001-01-01", "0x10", "{a}", "'q'", "\"d\"", "tab\t", "\u0085", "\u2028", "\ufeffx", "é🙂", "C:\\x", "%a", "@b", "`c", "? d", "key:", "!tag", "|", ">"];
  for (const shape of [`${HEAD}listeners:\n  - name: a\n    with:\n      url: x\n`, `${HEAD}listeners: [{name: a, with: {url: 'x'}}]\n`, '{"organism": {"name": "q"}, "listeners": [{"name": "a", "with": {"url": "x"}}]}']) {
    for (const value of [...texts, 3, 0.5, true, null, { a: { b: ["c", { d: 1 }] } }, ["x"], {}, []]) {
      for (const path of ["with.url", "with.fresh", "prompt", ["with", "headers", "x.y"]]) {
        const made = done(shape, { op: "setField", name: "a", path, value }).text;
        const keys = typeof path === "string" ? path.split(".") : path;
        const found = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], parse(made).nodes[0]!.fields);
        assert.deepEqual(found, value, made);
      }
    }
  }
});

test("a changed field changes its line only, and a removed one leaves no empty block", () => {
  const text = `${HEAD}listeners:\n  - name: a\n    with:\n      # where\n      url: "x"   # here\n      method: GET\n    retries: 3\n`;
  assert.deepEqual(lines(text, done(text, { op: "setField", name: "a", path: "with.url", value: "y" }).text), { gone: ['      url: "x"   # here'], come: ['      url: "y"   # here'] });
  assert.deepEqual(lines(text, done(text, { op: "setField", name: "a", path: "retries", value: undefined }).text), { gone: ["    retries: 3"], come: [] });
  const small = `${HEAD}listeners:\n  - name: a\n    with:\n      url: x\n`;
  assert.equal(done(small, { op: "setField", name: "a", path: "with.url", value: undefined }).text, `${HEAD}listeners:\n  - name: a\n`);
});

test("disabling and enabling again leaves the text as it was", () => {
  const off = done(PLAIN, { op: "setDisabled", names: ["first", "hook", "third"], disabled: true });
  assert.deepEqual(parse(off.text).nodes.map((node) => node.disabled), [true, true, false, true]);
  assert.equal(done(off.text, { op: "setDisabled", names: ["first", "hook", "third"], disabled: false }).text, PLAIN);
});

test("copied nodes are a text of their own, pasted ones get free names with their wires among them", () => {
  const taken = copy(PLAIN, ["first", "second", "hook"]);
  assert.ok(taken.includes("# First of all") && !taken.includes("third\n"));
  const { text, created, from } = done(PLAIN, { op: "paste", yaml: taken });
  assert.deepEqual(created, ["hook-2", "first-2", "second-2"]);
  assert.equal(from["first-2"], "first");
  const graph = parse(text);
  const fresh = graph.edges.filter((edge) => edge.source.endsWith("-2")).map((edge) => edge.id);
  assert.deepEqual(fresh, ["hook-2>trigger>first-2", "first-2>peer>second-2", "second-2>else>first-2"]);
  assert.ok(text.includes("steps[\"first-2\"]") || text.includes("steps['first-2']"));
  assert.ok(text.startsWith(PLAIN.slice(0, PLAIN.indexOf("\nlisteners"))));
  assert.deepEqual(done(PLAIN, { op: "duplicate", names: ["second"] }).created, ["second-2"]);
});

test("what is no flow is refused with its name, and nothing changes", () => {
  const cases: [string, RegExp][] = [['{"nodes":[{"type":"n8n"}],"connections":{}}', /n8n/], ['[{"id":"a","type":"inject","wires":[[]]}]', /Node-RED/], ["hello world", /no nodes/], ["a: [", /not valid YAML/], ["", /no nodes/], ["- 1\n- 2\n", /no nodes/], ['{"metadata":{},"nodes":[{"id":"a","position":{"x":1}}],"edges":[]}', /pdflow/]];
  for (const [yaml, message] of cases) {
    const made = apply(PLAIN, { op: "paste", yaml });
    assert.deepEqual([made.ok, made.text], [false, PLAIN]);
    assert.match(made.problems[0]!.message, message);
  }
  for (const yaml of ["name: n\nhandler: wasm:a:b\n", "- name: n\n  handler: wasm:a:b\n", "listeners: [{name: n}]", "  - name: n\n    handler: x.y\n"]) assert.deepEqual(done(PLAIN, { op: "paste", yaml }).created, ["n"]);
});

test("refused operations say why", () => {
  const cases: [string, Op, RegExp][] = [
    [PLAIN, { op: "renameNode", name: "first", to: "SECOND" }, /already a node named 'second'/],
    [PLAIN, { op: "renameNode", name: "first", to: "1x" }, /cannot name a node/],
    [PLAIN, { op: "connect", wire: { source: "first", port: "peer", target: "hook" } }, /is a trigger/],
    [PLAIN, { op: "connect", wire: { source: "first", port: "peer", target: "nobody" } }, /no node named/],
    [`${HEAD}listeners: {directory: ls}\n`, { op: "addNode", node: { kind: "http" } }, /files of their own/],
    [`${HEAD}listeners:\n  - name: a\n    handler: "open\n`, { op: "addNode", node: { kind: "http" } }, /error on line/],
    ["- 1\n", { op: "addNode", node: { kind: "http" } }, /a list/],
    [`${HEAD}listeners:\n  - &x\n    name: a\n    peers: &p [b]\n  - {name: b, peers: *p}\n`, { op: "removeNodes", names: ["a"] }, /cannot be written/],
  ];
  for (const [text, op, message] of cases) {
    const made = apply(text, op);
    assert.deepEqual([made.ok, made.text], [false, text]);
    assert.match(made.problems[0]!.message, message);
  }
});

test("anchors and aliases survive edits beside them", () => {
  const text = `${HEAD}listeners:\n  - name: a\n    peers: &p [b]\n  - {name: b, peers: *p}\n  - name: c\n`;
  assert.equal(done(text, { op: "renameNode", name: "b", to: "z" }).text, text.replace("[b]", "[z]").replace("name: b", "name: z"));
  assert.equal(done(text, { op: "connect", wire: { source: "b", port: "peer", target: "c" } }).text, text.replace("*p", "[b, c]"));
});

test("read in pieces, every text of several lines is what it is read as a whole", () => {
  const tails = ["", "\n", "\n# end\n", "\nx: 1\n", "\n\n# c\nx: 1\n", "# c\n\nx: 1\n"];
  for (const mark of ["|", "|-", "|+", ">", ">-", ">+"]) {
    for (const body of ["      a\n      # b\n", "      a\n\n      # b\n\n\n", "      - a\n\n"]) {
      for (const tail of tails) {
        const text = `${HEAD}listeners:\n  - name: x\n    prompt: ${mark}\n${body}  - name: y\n    prompt: ${mark}\n${body}${tail}`;
        const whole = (yaml(text) as { listeners: unknown[] }).listeners;
        assert.deepEqual(parse(text).nodes.map((node) => node.fields), whole, text);
        const edited = done(text, { op: "setField", name: "x", path: "retries", value: 1 }).text;
        assert.deepEqual((yaml(edited) as { listeners: unknown[] }).listeners, [{ ...(whole[0] as object), retries: 1 }, whole[1]], edited);
      }
    }
  }
});

test("problems stand where they are", () => {
  const graph = parse(`${HEAD}listeners:\n  - name: a\n    peers: [nobody]\n    onError: gone\n  - name: A\n  - {handler: x}\n`);
  assert.deepEqual(graph.problems.map(({ line, column, severity }) => `${line}:${column} ${severity}`), ["3:5 warning", "4:13 warning", "5:14 error", "6:11 error", "7:5 error"]);
  assert.deepEqual(graph.dangling.map((edge) => edge.target), ["nobody", "gone"]);
  const broken = parse(`${HEAD}listeners:\n  - name: "a\n  - name: b\n`);
  assert.deepEqual([broken.broken, broken.problems[0]?.line !== 1], [true, true]);
});

test("what the server and the canvas both found counts once", () => {
  const one = (line: number, message: string, column = 3) => ({ severity: "warning" as const, line, column, message, hint: "" });
  const told = [one(4, "the Python handler 'a.b:c' does not run here"), one(7, "there is no module 'm'")];
  const own = [one(4, "'a.b:c' does not run here: the node is drawn", 9), one(7, "there is no module 'n'", 20), one(2, "only seen here")];
  assert.deepEqual(together(told, own).map((found) => `${found.line} ${found.message}`), ["2 only seen here", `4 ${told[0]!.message}`, `7 ${told[1]!.message}`, `7 ${own[1]!.message}`]);
  assert.deepEqual(together(told, []), told);
});

test("nodes that did something else in another run are told", () => {
  const step = (node: string, output: unknown, input: unknown = 1) => ({ node, input, output });
  assert.deepEqual([...differing([step("a", 1), step("b", 2)], [step("a", 1), step("b", 3)])], ["b"]);
  assert.deepEqual([...differing([step("a", 1), step("a", 1)], [step("a", 1)])], ["a"]);
  assert.deepEqual([...differing([step("a", { x: 1 })], [step("a", { x: 1 }), step("c", 1)])], ["c"]);
  assert.deepEqual([...differing([], [])], []);
});

test("nothing that is parsed throws", () => {
  for (const text of ["", "\0", "{", "[[[[", "---\na\n---\nb", "%YAML 9", "listeners: [1, null, [x]]", "listeners:\n- \n-\n- x\n", "listeners:\n  - name: a\n name: b", "? [a]\n: b", "a: &a [*a]", "<<: *x", "organism: 3\ntriggers: 4\nlisteners: 5", "listeners:\n  - *x", "[".repeat(5000), "\ufefforganism: {name: x}", "listeners:\n\t- name: a", '{"nodes": 3}', '{"nodes": [null, 1, {"id": "a", "data": 3}], "edges": [{}]}', "listeners:\n  - {name: constructor, with: {__proto__: 1}}", "listeners:\n  - {name: __proto__}\n"]) {
    const graph = parse(text);
    assert.ok(Array.isArray(graph.nodes) && Array.isArray(graph.problems));
    const made = apply(text, { op: "addNode", node: { kind: "http" } });
    assert.ok(made.ok || made.text === text);
  }
});

test("listeners in files of their own are drawn, not edited", () => {
  const files = { "flows/f/listeners/a.yaml": "name: a\nhandler: wasm:m:f\npeers: [b]\n", "flows/f/listeners/b.yaml": "listener:\n  name: b\n", "other/c.yaml": "name: c\n" };
  const graph = parse(`${HEAD}listeners: {directory: ~/.xml-pipeline/listeners}\n`, { files });
  assert.deepEqual(graph.nodes.map((node) => [node.name, node.readOnly]), [["a", true], ["b", true]]);
  assert.deepEqual(graph.edges.map((edge) => edge.id), ["a>peer>b"]);
});

test("history joins typing and drags, and leads back to the first byte", () => {
  const history = new History({ text: "a", canvas: {} });
  for (const [index, text] of ["ab", "abc", "abcd"].entries()) history.push({ text, canvas: {} }, { join: "typing", at: 1000 + index * 100 });
  history.push({ text: "abcd!", canvas: {} }, { join: "typing", at: 9000 });
  for (let x = 1; x < 9; x += 1) history.push({ text: "abcd!", canvas: { nodes: { a: { x, y: 0 } } } }, { join: "drag:a", at: 9000 + x });
  assert.deepEqual(history.undo(), { text: "abcd!", canvas: {} });
  assert.equal(history.undo()?.text, "abcd");
  assert.equal(history.undo()?.text, "a");
  assert.equal(history.undo(), null);
  while (history.redo());
  assert.deepEqual(history.now, { text: "abcd!", canvas: { nodes: { a: { x: 8, y: 0 } } } });
  history.undo();
  history.push({ text: "other" });
  assert.equal(history.canRedo, false);
});

test("positions follow names; nodes without a place get one that is free", () => {
  const canvas = { nodes: { first: { x: 1, y: 2 }, third: { x: 3, y: 4 } }, notes: { n1: { x: 0, y: 0, width: 1, height: 1, text: "hi" } }, pins: { first: 1 } };
  const next = follow(canvas, { renamed: { first: "check" }, removed: ["third"] });
  assert.deepEqual(next, { nodes: { check: { x: 1, y: 2 } }, notes: canvas.notes, pins: { check: 1 } });
  const places = placed(parse(PLAIN), { nodes: { first: { x: 500, y: 500 } } });
  assert.deepEqual(places.first, { x: 500, y: 500 });
  assert.equal(new Set(Object.values(places).map(({ x, y }) => `${x},${y}`)).size, 4);
});

test("tidy leads from left to right, though wires lead back, and does the same twice", () => {
  const graph = parse(PLAIN);
  const places = tidy(graph);
  assert.ok(places.hook!.x < places.first!.x && places.first!.x < places.second!.x && places.second!.x < places.third!.x);
  assert.deepEqual(tidy(parse(PLAIN)), places);
  const long = parse(`${HEAD}listeners:\n${Array.from({ length: 1000 }, (_, i) => `  - {name: n${i}, peers: [n${(i + 1) % 1000}, n${(i * 7) % 1000}]}\n`).join("")}`);
  const took = [40, 41, 42, 43, 44].map((gapY) => {
    const began = performance.now();
    tidy(long, { gapY });
    return performance.now() - began;
  });
  assert.ok(Math.min(...took) < 300, `tidy of 1,000 nodes: ${Math.min(...took)} ms`);
  const wide = tidy(long);
  assert.equal(new Set(Object.values(wide).map(({ x, y }) => `${x},${y}`)).size, 1000);
});

test("what only one side changed is merged; what both did is marked, and the marks are comments", () => {
  assert.deepEqual(merge3("a\nb\nc\nd\n", "a\nB\nc\nd\n", "a\nb\nc\nD\n"), { text: "a\nB\nc\nD\n", conflicts: 0 });
  assert.deepEqual(merge3("a\nb\nc\n", "a\nX\nc\n", "a\nY\nc\n"), { text: "a\n# <<<<<<< mine\nX\n# =======\nY\n# >>>>>>> theirs\nc\n", conflicts: 1 });
  assert.deepEqual(merge3("a\nb", "a\nb\nc", "z\na\nb"), { text: "z\na\nb\nc", conflicts: 0 });
  const mine = done(PLAIN, { op: "setField", name: "first", path: "retries", value: 2 }).text;
  const theirs = done(PLAIN, { op: "addNode", node: { kind: "http" } }).text;
  const merged = merge3(PLAIN, mine, theirs);
  assert.equal(merged.conflicts, 0);
  assert.equal(diff(parse(mine), parse(merged.text)).added[0]?.name, "request");
});

test("diff and search name what they find", () => {
  const now = done(done(PLAIN, { op: "setField", name: "third", path: "with.status", value: 201 }).text, { op: "removeNodes", names: ["hook"] }).text;
  const found = diff(parse(PLAIN), parse(now));
  assert.deepEqual([found.removed.map((node) => node.name), found.changed.map((one) => [one.id, one.keys])], [["hook"], [["third", ["with.status"]]]]);
  assert.equal(diff(parse(PLAIN), parse(PLAIN)).same, true);
  const hits = search(parse(PLAIN), "second");
  assert.equal(hits[0]?.id, "second");
  assert.equal(search(parse(PLAIN), "order check")[0]?.id, "first");
  assert.equal(freshName("first", parse(PLAIN)), "first-2");
});

test("a keystroke among 1,000 listeners is read in 60 ms, a drawn edit among 100 written in 16 ms", () => {
  const big = (count: number): string => `${HEAD}listeners:\n${Array.from({ length: count }, (_, i) => `  - name: n${i}\n    handler: wasm:order:fn${i}\n    description: Does something with number ${i}\n    peers: [n${(i + 1) % count}, n${(i * 7) % count}]\n    retries: 3\n`).join("")}`;
  /** The fastest of several: what else the machine does is not what is measured. */
  const fastest = (times: number, work: (turn: number) => void): number => {
    const took = Array.from({ length: times }, (_, turn) => {
      const began = performance.now();
      work(turn);
      return performance.now() - began;
    });
    return Math.min(...took);
  };
  let text = big(1000);
  const typing = fastest(15, (turn) => void parse((text = text.replace(`number ${turn * 9}`, `number x${turn}`))));
  let small = big(100);
  const drawing = fastest(15, (turn) => void (small = apply(small, { op: "connect", wire: { source: `n${turn}`, port: "peer", target: `n${turn + 40}` } }).text));
  assert.ok(typing < 60 && drawing < 16, `${typing} ms, ${drawing} ms`);
});
