// Compiles prompts as upstream does, with npm's nunjucks: front matter, defaults, template, text; nothing is kept.
// node templates.mjs SECONDS FILE…: prints compilations a second and the length of the text, by file, as JSON.
import { readFileSync } from "node:fs";
import nunjucks from "nunjucks";
import { parse } from "yaml";

const [seconds, ...files] = process.argv.slice(2);
const environment = new nunjucks.Environment(null, { autoescape: false, trimBlocks: true, lstripBlocks: true });

function compiled(text) {
  const end = text.indexOf("\n---", 3);
  const head = parse(text.slice(4, end + 1));
  const body = text.slice(text.indexOf("\n", end + 1) + 1);
  const values = {};
  for (const one of head.parameters ?? []) {
    if (one.default !== undefined) values[one.name] = one.default;
  }
  return new nunjucks.Template(body, environment, "prompt", true).render(values);
}

function rate(text) {
  for (let warm = 0; warm < 500; warm += 1) compiled(text);
  const began = process.hrtime.bigint();
  const until = began + BigInt(Math.round(Number(seconds) * 1e9));
  let count = 0;
  for (; process.hrtime.bigint() < until; count += 1) compiled(text);
  return (count * 1e9) / Number(process.hrtime.bigint() - began);
}

const found = {};
for (const file of files) {
  const text = readFileSync(file, "utf8");
  found[file] = { rate: rate(text), length: compiled(text).trim().length };
}
console.log(JSON.stringify(found));
