// One line of undo for both views: what was typed and what was drawn, kept as differences.
import { detached } from "./splice.ts";
import type { CanvasState } from "./types.ts";

export interface Snapshot { text: string; canvas?: CanvasState }
export interface PushOptions {
  /** Steps with the same word follow each other as one: "typing", "drag:a". */
  join?: string;
  /** Milliseconds; now unless told. */
  at?: number;
}

interface Patch { at: number; old: string; now: string }
interface Step { patch: Patch; before: CanvasState | undefined; after: CanvasState | undefined; join: string; began: number; ended: number }

const PAUSE = 1_000;
const LONGEST = 5_000;
const MOST = 1_000;

export class History {
  private current: Snapshot;
  private done: Step[] = [];
  private undone: Step[] = [];

  constructor(first: Snapshot) {
    this.current = first;
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  get now(): Snapshot {
    return this.current;
  }

  /** What is the same as now is no step. */
  push(next: Snapshot, { join = "", at = Date.now() }: PushOptions = {}): void {
    const changed = next.text !== this.current.text || !same(next.canvas, this.current.canvas);
    if (!changed) return;
    const last = this.done.at(-1);
    const joined = join && last?.join === join && !this.undone.length && at - last.ended <= PAUSE && at - last.began <= LONGEST;
    if (joined) this.extend(last, next, at);
    else this.add(next, join, at);
    this.undone = [];
    this.current = next;
  }

  private add(next: Snapshot, join: string, at: number): void {
    const patch = difference(this.current.text, next.text);
    this.done.push({ patch, before: this.current.canvas, after: next.canvas, join, began: at, ended: at });
    if (this.done.length > MOST) this.done.shift();
  }

  private extend(step: Step, next: Snapshot, at: number): void {
    const before = reverted(this.current.text, step.patch);
    Object.assign(step, { patch: difference(before, next.text), after: next.canvas, ended: at });
    if (step.patch.old === step.patch.now && same(step.before, step.after)) this.done.pop();
  }

  /** The next push begins a step of its own. */
  seal(): void {
    const last = this.done.at(-1);
    if (last) last.join = "";
  }

  undo(): Snapshot | null {
    const step = this.done.pop();
    if (!step) return null;
    step.join = "";
    this.undone.push(step);
    return (this.current = { text: reverted(this.current.text, step.patch), canvas: step.before });
  }

  redo(): Snapshot | null {
    const step = this.undone.pop();
    if (!step) return null;
    this.done.push(step);
    return (this.current = { text: repeated(this.current.text, step.patch), canvas: step.after });
  }
}

function same(a: CanvasState | undefined, b: CanvasState | undefined): boolean {
  return a === b || JSON.stringify(a ?? {}) === JSON.stringify(b ?? {});
}

/** Where two texts differ, from the first to the last unit. */
export function difference(old: string, now: string): Patch {
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old.charCodeAt(head) === now.charCodeAt(head)) head += 1;
  let tail = 0;
  while (tail < most - head && old.charCodeAt(old.length - 1 - tail) === now.charCodeAt(now.length - 1 - tail)) tail += 1;
  return { at: head, old: detached(old.slice(head, old.length - tail)), now: detached(now.slice(head, now.length - tail)) };
}

function reverted(text: string, { at, old, now }: Patch): string {
  return text.slice(0, at) + old + text.slice(at + now.length);
}

function repeated(text: string, { at, old, now }: Patch): string {
  return text.slice(0, at) + now + text.slice(at + old.length);
}
