// Three-way merge by lines: what only one side changed is taken, what both changed otherwise is marked.
import { eolOf } from "./splice.ts";

export interface Merged { text: string; conflicts: number }

/** Marks are comments, so that the text stays YAML. */
export const MINE = "# <<<<<<< mine";
export const MIDDLE = "# =======";
export const THEIRS = "# >>>>>>> theirs";

export function merge3(base: string, mine: string, theirs: string): Merged {
  if (mine === theirs || theirs === base) return { text: mine, conflicts: 0 };
  if (mine === base) return { text: theirs, conflicts: 0 };
  const [o, a, b] = [lines(base), lines(mine), lines(theirs)];
  const out: string[] = [];
  const conflicts = weave(o, { a, b, toA: matches(o, a), toB: matches(o, b) }, out, eolOf(mine));
  return { text: out.join(""), conflicts };
}

function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

interface Sides { a: string[]; b: string[]; toA: Int32Array; toB: Int32Array }

function weave(o: string[], { a, b, toA, toB }: Sides, out: string[], eol: string): number {
  let [i, x, y, conflicts] = [0, 0, 0, 0];
  while (i < o.length || x < a.length || y < b.length) {
    if (i < o.length && toA[i] === x && toB[i] === y) {
      out.push(o[i]!);
      i += 1, x += 1, y += 1;
      continue;
    }
    let next = i;
    while (next < o.length && !(toA[next]! >= x && toB[next]! >= y)) next += 1;
    const [endA, endB] = next < o.length ? [toA[next]!, toB[next]!] : [a.length, b.length];
    conflicts += settle(o.slice(i, next).join(""), a.slice(x, endA).join(""), b.slice(y, endB).join(""), out, eol);
    i = next, x = endA, y = endB;
  }
  return conflicts;
}

function settle(old: string, mine: string, theirs: string, out: string[], eol: string): number {
  if (mine === theirs || theirs === old) return out.push(mine), 0;
  if (mine === old) return out.push(theirs), 0;
  const closed = (text: string): string => (text && !text.endsWith("\n") ? text + eol : text);
  out.push(MINE + eol, closed(mine), MIDDLE + eol, closed(theirs), THEIRS + eol);
  return 1;
}

/** For each line of `o` its partner in `n`, or -1: the longest common subsequence, by lines that are rare first. */
export function matches(o: readonly string[], n: readonly string[]): Int32Array {
  const found = new Int32Array(o.length).fill(-1);
  const work: [number, number, number, number][] = [[0, o.length, 0, n.length]];
  while (work.length) {
    let [from, to, start, end] = work.pop()!;
    while (from < to && start < end && o[from] === n[start]) found[from++] = start++;
    while (from < to && start < end && o[to - 1] === n[end - 1]) found[--to] = --end;
    if (from === to || start === end) continue;
    const anchors = patience(o, n, [from, to, start, end]);
    if (!anchors.length && (to - from) * (end - start) <= 1_000_000) longest(o, n, [from, to, start, end], found);
    let [before, first] = [from, start];
    for (const [i, j] of anchors) {
      work.push([before, i, first, j]);
      found[i] = j;
      [before, first] = [i + 1, j + 1];
    }
    if (anchors.length) work.push([before, to, first, end]);
  }
  return found;
}

type Box = [number, number, number, number];

/** Lines that occur once on both sides, the longest run of them that rises on both. */
function patience(o: readonly string[], n: readonly string[], [from, to, start, end]: Box): [number, number][] {
  const [inO, inN] = [once(o, from, to), once(n, start, end)];
  const pairs: [number, number][] = [];
  for (const [line, i] of inO) {
    const j = inN.get(line);
    if (i >= 0 && j !== undefined && j >= 0) pairs.push([i, j]);
  }
  pairs.sort((a, b) => a[0] - b[0]);
  return rising(pairs);
}

function once(lines: readonly string[], from: number, to: number): Map<string, number> {
  const found = new Map<string, number>();
  for (let at = from; at < to; at += 1) found.set(lines[at]!, found.has(lines[at]!) ? -1 : at);
  return found;
}

function rising(pairs: readonly [number, number][]): [number, number][] {
  const tops: number[] = [];
  const before = new Int32Array(pairs.length).fill(-1);
  pairs.forEach(([, j], index) => {
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[tops[middle]!]![1] < j) low = middle + 1;
      else high = middle;
    }
    before[index] = low ? tops[low - 1]! : -1;
    tops[low] = index;
  });
  const found: [number, number][] = [];
  for (let at = tops.at(-1) ?? -1; at >= 0; at = before[at]!) found.unshift(pairs[at]!);
  return found;
}

function longest(o: readonly string[], n: readonly string[], [from, to, start, end]: Box, found: Int32Array): void {
  const width = end - start + 1;
  const table = new Uint16Array((to - from + 1) * width);
  for (let i = to - from - 1; i >= 0; i -= 1) {
    for (let j = end - start - 1; j >= 0; j -= 1) {
      const same = o[from + i] === n[start + j];
      table[i * width + j] = same ? table[(i + 1) * width + j + 1]! + 1 : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
    }
  }
  let [i, j] = [0, 0];
  while (i < to - from && j < end - start) {
    if (o[from + i] === n[start + j]) found[from + i++] = start + j++;
    else if (table[(i + 1) * width + j]! >= table[i * width + j + 1]!) i += 1;
    else j += 1;
  }
}
