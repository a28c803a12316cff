// Frames around nodes: a name and its members, kept with the canvas; where a frame stands follows from its members.
import type { CanvasState, Group, Positions, Size } from "./types.ts";

export interface Frame extends Size { id: string; name: string; members: string[]; x: number; y: number }

const PADDING = 24;
const HEAD = 32;

/** A node is in one group at most; a group that lost its last member is gone. */
export function group(canvas: CanvasState, names: readonly string[]): { canvas: CanvasState; id: string } {
  const groups = without(canvas.groups ?? {}, new Set(names));
  let number = Object.keys(groups).length + 1;
  while (`g${number}` in groups) number += 1;
  const id = `g${number}`;
  return { canvas: { ...canvas, groups: { ...groups, [id]: { name: `Group ${number}`, members: [...names] } } }, id };
}

function without(groups: Record<string, Group>, names: ReadonlySet<string>): Record<string, Group> {
  const left = Object.entries(groups).map(([id, one]) => [id, { ...one, members: one.members.filter((name) => !names.has(name)) }] as const);
  return Object.fromEntries(left.filter(([, one]) => one.members.length));
}

/** The frames go, their nodes stay. */
export function ungroup(canvas: CanvasState, ids: readonly string[]): CanvasState {
  const gone = new Set(ids);
  return { ...canvas, groups: Object.fromEntries(Object.entries(canvas.groups ?? {}).filter(([id]) => !gone.has(id))) };
}

export function groupsOf(canvas: CanvasState, names: readonly string[]): string[] {
  return Object.entries(canvas.groups ?? {}).filter(([, one]) => one.members.some((name) => names.includes(name))).map(([id]) => id);
}

/** What the canvas kept may be anybody's file: what is no group is not drawn. */
export function frames(canvas: CanvasState, places: Positions, sizes: ReadonlyMap<string, Size>): Frame[] {
  return Object.entries(canvas.groups ?? {}).flatMap(([id, one]) => {
    const members = Array.isArray(one?.members) ? one.members.filter((name) => Object.hasOwn(places, name) && sizes.has(name)) : [];
    if (!members.length) return [];
    const left = Math.min(...members.map((name) => places[name]!.x)) - PADDING;
    const top = Math.min(...members.map((name) => places[name]!.y)) - PADDING - HEAD;
    const right = Math.max(...members.map((name) => places[name]!.x + sizes.get(name)!.width)) + PADDING;
    const bottom = Math.max(...members.map((name) => places[name]!.y + sizes.get(name)!.height)) + PADDING;
    return [{ id, name: String(one.name ?? ""), members, x: left, y: top, width: right - left, height: bottom - top }];
  });
}

/** After renames and removals in the text. */
export function followGroups(groups: Record<string, Group>, renamed: Record<string, string>, removed: readonly string[]): Record<string, Group> {
  const left = without(groups, new Set(removed));
  const now = (name: string): string => (Object.hasOwn(renamed, name) ? renamed[name]! : name);
  return Object.fromEntries(Object.entries(left).map(([id, one]) => [id, { ...one, members: one.members.map(now) }]));
}
