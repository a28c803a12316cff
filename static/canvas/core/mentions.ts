// Every place where a listener or a trigger names another one: wires begin here.
import { kindOf } from "./kinds.ts";
import { pairOf, real, valueOf, type YItem, type YMap, type YPair, type YScalar, type YSeq } from "./tree.ts";
import { values, type Entry } from "./source.ts";
import type { Port } from "./types.ts";

export interface Mention {
  name: string;
  port: Port;
  scalar: YScalar;
  /** In words, for problems. */
  what: string;
  /** Where it stands: an item of a list, or the value of a key of a mapping. */
  list?: { seq: YSeq; item: YItem; owner: YPair };
  key?: { map: YMap; pair: YPair };
}

export function mentionsOf(entry: Entry): Mention[] {
  if (!entry.map) return [];
  if (entry.section === "triggers") return keyed(entry.map, "to", "trigger", "'to'");
  return [...peers(entry.map), ...named(entry), ...keyed(entry.map, "onError", "error", "'onError'")];
}

function peers(map: YMap): Mention[] {
  const owner = pairOf(map, "peers");
  const value = real(owner?.value);
  if (!owner || !value) return [];
  if (value.t === "scalar") return keyed(map, "peers", "peer", "a peer");
  if (value.t !== "seq") return [];
  return value.items.flatMap((item): Mention[] => {
    const scalar = scalarIn(item.node);
    return scalar ? [{ name: String(scalar.value), port: "peer", scalar, what: "a peer", list: { seq: value, item, owner } }] : [];
  });
}

function scalarIn(node: YItem["node"]): YScalar | null {
  const found = real(node);
  return found?.t === "scalar" && typeof found.value === "string" && found.value !== "" ? found : null;
}

function named(entry: Entry): Mention[] {
  const options = valueOf(entry.map!, "with");
  if (options?.t !== "map") return [];
  const kind = kindOf(values(entry));
  if (kind === "loop") return [...keyed(options, "body", "body", "'body'"), ...keyed(options, "done", "done", "'done'")];
  if (kind !== "branch") return [];
  const cases = valueOf(options, "cases");
  const items = cases?.t === "seq" ? cases.items : [];
  const found = items.flatMap((item, index): Mention[] => {
    const one = real(item.node);
    return one?.t === "map" ? keyed(one, "to", `case ${index}`, "'to' of a case") : [];
  });
  return [...found, ...keyed(options, "else", "else", "'else'")];
}

function keyed(map: YMap, key: string, port: Port, what: string): Mention[] {
  const pair = pairOf(map, key);
  const scalar = scalarIn(pair?.value ?? null);
  return pair && scalar ? [{ name: String(scalar.value), port, scalar, what, key: { map, pair } }] : [];
}
