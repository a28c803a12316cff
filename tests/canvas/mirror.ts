// Prints what the core sees in these files, for the comparison with the loader of the server.
import { readFileSync } from "node:fs";
import { parse } from "../../static/canvas/core/index.ts";

const seen = process.argv.slice(2).map((file) => {
  const text = readFileSync(file, "utf8");
  const graph = parse(text);
  const nodes = graph.nodes.map((node) => [node.name, node.kind]);
  const edges = graph.edges.map((edge) => [edge.source.replace(/^trigger:/, ""), edge.sourcePort, edge.target]);
  const problems = graph.problems.map((one) => [one.line, one.column, one.severity, one.message]);
  return [file, { nodes, edges, title: graph.title, broken: graph.broken, problems }];
});
console.log(JSON.stringify(Object.fromEntries(seen)));
