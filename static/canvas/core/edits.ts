// A text being edited: what is changed where; all places are of the text as it was.
import type { Splice } from "./splice.ts";
import type { YMap, YSeq } from "./tree.ts";

/** Braces or brackets, and where what is between them begins and ends. */
export interface FlowBox { open: number; close: number; starts: number[]; ends: number[] }

export class Edits {
  readonly out: Splice[] = [];
  private readonly cuts = new Map<YMap | YSeq, { box: FlowBox; gone: Set<number> }>();

  constructor(readonly text: string) {}

  /** One of several between brackets goes; which commas go with it is known when all are told. */
  cut(where: YMap | YSeq, box: FlowBox, index: number): void {
    const known = this.cuts.get(where) ?? { box, gone: new Set() };
    known.gone.add(index);
    this.cuts.set(where, known);
  }

  splices(): Splice[] {
    return [...this.out, ...[...this.cuts.values()].flatMap(({ box, gone }) => commas(box, gone))];
  }
}

export function replace(edits: Edits, start: number, end: number, text: string): void {
  edits.out.push({ start, end, text });
}

function commas({ open, close, starts, ends }: FlowBox, gone: ReadonlySet<number>): Splice[] {
  let last = starts.length - 1;
  while (last >= 0 && gone.has(last)) last -= 1;
  if (last < 0) return [{ start: open + 1, end: close, text: "" }];
  const before = [...gone].filter((index) => index < last).map((index) => ({ start: starts[index]!, end: starts[index + 1]!, text: "" }));
  return last < starts.length - 1 ? [...before, { start: ends[last]!, end: ends.at(-1)!, text: "" }] : before;
}
