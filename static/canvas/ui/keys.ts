// Every command has a key; this is the one list that the keys, the help and the command palette read.
import type { FocusEvent, KeyboardEvent as ReactKey } from "react";
import { commands, type Command } from "./commands";
import { focused, select, walk } from "./select";
import { store } from "./state";

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
export const MOD = APPLE ? "⌘" : "Ctrl+";

/** `Mod+Shift+K` as this machine's keyboard shows it. */
export function shown(key: string): string {
  return key.replace("Mod+", MOD).replace("Shift+", APPLE ? "⇧" : "Shift+").replace("Alt+", APPLE ? "⌥" : "Alt+");
}

function pressed(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const shift = event.shiftKey && /^[A-Z]$|^.{2,}$/.test(key) ? "Shift+" : "";
  return `${mod}${shift}${event.altKey ? "Alt+" : ""}${key}`;
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function allowed(command: Command, event: KeyboardEvent): boolean {
  if (store.get().overlay && !command.always) return false;
  return command.always || !writes(event.target);
}

export function listenForKeys(): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = pressed(event);
    const command = commands.find((one) => one.keys?.includes(key) && allowed(one, event) && (one.enabled?.() ?? true));
    if (!command || (isButton(event.target) && (key === "Enter" || key === " "))) return;
    event.preventDefault();
    command.run();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, [role=radio]") !== null;
}

const WAYS: Record<string, Parameters<typeof walk>[0]> = { ArrowRight: "next", ArrowLeft: "previous", ArrowDown: "below", ArrowUp: "above" };

/** Before React Flow sees it: Alt with an arrow follows the wires; Escape and Enter are our commands. */
export function onCanvasKey(event: ReactKey): void {
  const by = event.altKey ? WAYS[event.key] : undefined;
  const own = focused() !== undefined && !event.ctrlKey && !event.metaKey && (event.key === "Escape" || event.key === "Enter") && !writes(event.target);
  if (!by && !own) return;
  event.preventDefault();
  event.stopPropagation();
  if (by) walk(by);
  else commands.find((one) => one.keys?.includes(event.key))?.run();
}

let pointing = false;

/** A pointer chooses by itself; only what the keyboard comes to is chosen by its focus. */
export function onCanvasPointer(): void {
  pointing = true;
  const up = (): void => void (pointing = false);
  addEventListener("pointerup", up, { once: true });
  addEventListener("pointercancel", up, { once: true });
}

/** What the keyboard comes to is chosen, so that every key means the node that has the focus. */
export function onCanvasFocus(event: FocusEvent): void {
  const node = (event.target as HTMLElement).closest<HTMLElement>(".react-flow__node");
  const id = node?.dataset.id;
  if (id && event.target === node && !pointing && !store.get().selected.includes(id)) select([id]);
}
