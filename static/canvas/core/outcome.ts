// What an operation answers, and how it says no.
import type { Edits } from "./edits.ts";
import { placeOf, splice } from "./splice.ts";
import { entriesById, read, type Entry, type Source } from "./source.ts";
import type { Applied, Problem } from "./types.ts";

/** An operation that cannot be done; nothing has changed. */
export class Refusal extends Error {
  readonly hint: string;
  readonly at: number;

  constructor(message: string, hint = "", at = 0) {
    super(message);
    this.hint = hint;
    this.at = at;
  }
}

export function refused(text: string, { message, hint, at }: Refusal, starts: readonly number[]): Applied {
  const problem: Problem = { severity: "error", ...placeOf(starts, at), message, hint };
  return { text, problems: [problem], ok: false, created: [], renamed: {}, removed: [], from: {} };
}

export type More = Partial<Pick<Applied, "created" | "renamed" | "removed" | "from" | "problems">>;

export function finished(source: Source, edits: Edits | null, more: More = {}): Applied {
  const text = edits ? splice(source.text, edits.splices()) : source.text;
  const now = text === source.text ? source : read(text);
  const fault = now.faults[0];
  if (fault) throw new Refusal("This cannot be written into the text as it stands; edit the YAML.", `it would not be valid: ${fault.message}`);
  return { text, problems: [], ok: true, created: [], removed: [], from: {}, ...more, renamed: { ...triggersRenamed(source, now), ...more.renamed } };
}

/** A trigger's id depends on whether a listener has its name. */
function triggersRenamed(before: Source, after: Source): Record<string, string> {
  if (!before.triggers.entries.length) return {};
  const ids = (source: Source): Map<string, string> => new Map([...entriesById(source)].filter(([, entry]) => entry.section === "triggers").map(([id, entry]) => [entry.name, id]));
  const now = ids(after);
  const found: Record<string, string> = {};
  for (const [name, id] of ids(before)) if (now.has(name) && now.get(name) !== id) found[id] = now.get(name)!;
  return found;
}

/** One after the other, each on what the one before left behind. */
export function chain(text: string, steps: readonly ((text: string, before: Applied) => Applied | null)[]): Applied {
  let all: Applied = { text, problems: [], ok: true, created: [], renamed: {}, removed: [], from: {} };
  for (const step of steps) {
    const next = step(all.text, all);
    if (next) all = joined(all, next);
    if (!all.ok) return { ...all, text };
  }
  return all;
}

function joined(all: Applied, next: Applied): Applied {
  const renamed: Record<string, string> = { ...next.renamed };
  for (const [from, to] of Object.entries(all.renamed)) {
    renamed[from] = Object.hasOwn(next.renamed, to) ? next.renamed[to]! : to;
    if (Object.hasOwn(next.renamed, to)) delete renamed[to];
  }
  const created = [...all.created.map((id) => next.renamed[id] ?? id).filter((id) => !next.removed.includes(id)), ...next.created];
  return { text: next.text, problems: [...all.problems, ...next.problems], ok: next.ok, created, renamed, removed: [...all.removed, ...next.removed], from: { ...all.from, ...next.from } };
}

/** A node by its id; in any case of letters, since wires may be written so. */
export function entryOf(source: Source, id: string): Entry {
  const entries = entriesById(source);
  const folded = id.toLowerCase();
  const found = entries.get(id) ?? [...entries].find(([one]) => one.toLowerCase() === folded)?.[1];
  if (found?.map) return found;
  const external = source.listeners.node?.at.t === "map";
  throw new Refusal(external ? `'${id}' stands in a file of its own; it is edited there.` : `There is no node named '${id}'.`);
}

export function listenerNamed(source: Source, name: string): Entry {
  const entry = entryOf(source, name);
  if (entry.section === "triggers") throw new Refusal(`'${name}' is a trigger: nothing can be sent to it.`);
  return entry;
}
