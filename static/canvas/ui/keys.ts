// Every command has a key; this is the one list that the keys, the help and the command palette read.
import type { KeyboardEvent as ReactKey } from "react";
import { commands, type Command } from "./commands";
import { walk } from "./select";
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

/** On the canvas Alt with an arrow follows the wires; a node that has the focus is the chosen one. */
export function onCanvasKey(event: ReactKey): void {
  const by = { ArrowRight: "next", ArrowLeft: "previous", ArrowDown: "below", ArrowUp: "above" }[event.key] as Parameters<typeof walk>[0] | undefined;
  if (by && event.altKey) {
    event.preventDefault();
    event.stopPropagation();
    walk(by);
  }
}
