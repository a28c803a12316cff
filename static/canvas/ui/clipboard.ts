// Copy, cut and paste as YAML text, so that nodes go between flows, tabs and text editors.
import { copy, groupMarks, type Applied } from "../core";
import { removeChosen } from "./actions";
import type { Point } from "./data";
import { run } from "./edit";
import { focusNode } from "./focus";
import { placed } from "./places";
import { chosenNodes, select } from "./select";
import { say, store } from "./state";
import { view } from "./viewport";
import { count } from "./words";

function writing(): boolean {
  const active = document.activeElement;
  const chosenText = getSelection()?.toString();
  return Boolean(chosenText) || (active instanceof HTMLElement && (active.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)));
}

function idle(): boolean {
  return !writing() && !store.get().overlay && store.get().view !== "yaml";
}

function take(event: ClipboardEvent): boolean {
  const names = chosenNodes();
  if (!idle() || !names.length || !event.clipboardData) return false;
  event.clipboardData.setData("text/plain", copyOf(names));
  event.preventDefault();
  return true;
}

/** Whole groups go with their nodes, as comments. */
export function copyOf(names: readonly string[]): string {
  const { text, canvas } = store.get();
  return groupMarks(canvas, names) + copy(text, names);
}

function onCopy(event: ClipboardEvent): void {
  if (take(event)) say(`${count(chosenNodes().length, "node")} copied as YAML.`);
}

function onCut(event: ClipboardEvent): void {
  if (!store.get().readOnly && take(event)) removeChosen();
}

function onPaste(event: ClipboardEvent): void {
  const yaml = event.clipboardData?.getData("text/plain") ?? "";
  if (!idle() || store.get().readOnly || !yaml.trim()) return;
  event.preventDefault();
  paste(yaml);
}

export function paste(yaml: string): void {
  const made = run({ op: "paste", yaml }, spread, "", yaml)?.created ?? [];
  if (!made.length) return;
  select(made);
  focusNode(made[0]!);
  say(`${count(made.length, "node")} pasted.`);
}

/** As they stood to each other where they were copied here, else in a row; in the middle of what is seen. */
function spread(done: Applied): Record<string, Point> {
  const { graph, canvas } = store.get();
  const places = placed(graph, canvas);
  const middle = view.middle();
  const models = done.created.map((id) => places[done.from[id] ?? ""]);
  const origin = models.find((place) => place);
  if (origin && models.every((place) => place)) return Object.fromEntries(done.created.map((id, index) => [id, { x: models[index]!.x + 40, y: models[index]!.y + 80 }]));
  return Object.fromEntries(done.created.map((id, index) => [id, { x: middle.x - 110 + index * 280, y: middle.y + (index % 2) * 8 }]));
}

export function listenForClipboard(): () => void {
  const list = [["copy", onCopy], ["cut", onCut], ["paste", onPaste]] as const;
  for (const [type, listen] of list) document.addEventListener(type, listen as EventListener);
  return () => list.forEach(([type, listen]) => document.removeEventListener(type, listen as EventListener));
}
