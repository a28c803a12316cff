// Groups on the canvas: made of what is chosen, named, taken apart, moved as one.
import type { NodeChange } from "@xyflow/react";
import { collapse, group, GROUP, groupsOf, ungroup } from "../core";
import { setCanvas } from "./edit";
import type { AnyNode } from "./picture";
import { placed } from "./places";
import { chosenNodes, select } from "./select";
import { say, store } from "./state";
import { count } from "./words";

export function isGroup(id: string): boolean {
  return id.startsWith(GROUP);
}

export function groupChosen(): void {
  const { graph, canvas } = store.get();
  const names = chosenNodes();
  const made = group(canvas, names);
  // Written down, so that the frame stays around what it was made for.
  setCanvas({ nodes: placed(graph, canvas), groups: made.canvas.groups });
  select([GROUP + made.id]);
  say(`${count(names.length, "node")} grouped.`);
}

/** The groups that are chosen, or those of the chosen nodes. */
export function chosenGroups(): string[] {
  const { selected, canvas } = store.get();
  const own = selected.filter((id) => isGroup(id)).map((id) => id.slice(GROUP.length));
  return own.length ? own : groupsOf(canvas, chosenNodes());
}

export function ungroupChosen(): void {
  const ids = chosenGroups();
  const members = ids.flatMap((id) => store.get().canvas.groups?.[id]?.members ?? []);
  setCanvas({ groups: ungroup(store.get().canvas, ids).groups });
  select(members);
  say(ids.length === 1 ? "The group is taken apart." : `${count(ids.length, "group")} taken apart.`);
}

/** Collapses the chosen groups, or opens them when all are collapsed. */
export function foldChosen(): void {
  const ids = chosenGroups();
  fold(ids, !ids.every((id) => store.get().canvas.groups?.[id]?.collapsed));
}

export function fold(ids: readonly string[], collapsed: boolean): void {
  const { canvas, graph, inspecting } = store.get();
  // Written down, so that what is opened again stands where it stood.
  setCanvas({ nodes: placed(graph, canvas), groups: collapse(canvas, ids, collapsed).groups });
  if (collapsed) select(ids.map((id) => GROUP + id));
  store.set({ inspecting: inspecting && !collapsed });
  const [name] = ids.map((id) => canvas.groups?.[id]?.name ?? "");
  say(`${ids.length === 1 ? `Group ${name}` : count(ids.length, "group")} ${collapsed ? "collapsed" : "opened"}.`);
}

/** What is to be seen is not hidden in a box. */
export function unfoldFor(name: string): void {
  const { canvas, readOnly } = store.get();
  const ids = groupsOf(canvas, [name]).filter((id) => canvas.groups?.[id]?.collapsed);
  if (ids.length && !readOnly) fold(ids, false);
}

export function renameGroup(id: string, name: string): void {
  const groups = store.get().canvas.groups ?? {};
  if (groups[id] && groups[id].name !== name && name) setCanvas({ groups: { ...groups, [id]: { ...groups[id], name } } });
}

/** With a frame go its members, unless they are moved by themselves. */
export function withMembers(changes: readonly NodeChange<AnyNode>[], nodes: readonly AnyNode[]): NodeChange<AnyNode>[] {
  if (!changes.some((change) => change.type === "position" && isGroup(change.id))) return [...changes];
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const moved = new Set(changes.flatMap((change) => (change.type === "position" ? [change.id] : [])));
  return changes.flatMap((change) => {
    const frame = change.type === "position" && change.position && isGroup(change.id) ? byId.get(change.id) : undefined;
    if (!frame || frame.type !== "frame" || change.type !== "position") return [change];
    const by = { x: change.position!.x - frame.position.x, y: change.position!.y - frame.position.y };
    const members = frame.data.frame.members.filter((name) => byId.has(name) && !moved.has(name));
    return [change, ...members.map((id): NodeChange<AnyNode> => {
      const { position } = byId.get(id)!;
      return { id, type: "position", position: { x: position.x + by.x, y: position.y + by.y }, dragging: change.dragging };
    })];
  });
}
