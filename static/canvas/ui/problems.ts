// Problems of the text as it stands, and those the server told about what was saved last.
import { together, type GNode, type Graph } from "../core";
import type { Problem } from "./http";
import type { State } from "./state";

let last: { problems: Problem[]; told: Problem[]; fresh: boolean; all: readonly Problem[] } | null = null;

/** The server's count only while the text is the one it judged; lines move with every edit. */
export function allProblems(state: State): readonly Problem[] {
  const fresh = state.text === state.savedText;
  if (last && last.problems === state.problems && last.told === state.told && last.fresh === fresh) return last.all;
  last = { problems: state.problems, told: state.told, fresh, all: fresh && state.told.length ? together(state.told, state.problems) : state.problems };
  return last.all;
}

export interface Lines {
  first: number;
  last: number;
}

/** Which lines of the text each node takes, in one walk over it. */
export function linesOf(graph: Graph, text: string): Map<string, Lines> {
  const starts = lineStarts(text);
  return new Map(graph.nodes.map((node) => [node.id, { first: lineAt(starts, node.range[0]), last: lineAt(starts, Math.max(node.range[0], node.range[1] - 1)) }]));
}

export function problemsOf(node: GNode, lines: Map<string, Lines>, problems: readonly Problem[]): Problem[] {
  const own = lines.get(node.id);
  return own ? problems.filter((problem) => problem.line >= own.first && problem.line <= own.last) : [];
}

export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The line of a place in the text, counted from 1. */
export function lineAt(starts: readonly number[], place: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= place) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}
