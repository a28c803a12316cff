// Ctrl/⌘-K: every command, every node of the flow, everything that can be added.
import { useMemo } from "react";
import { addItem } from "./add";
import { commands } from "./commands";
import { iconOf } from "./FlowNode";
import { Icon } from "./icons";
import { kindOfItem } from "./items";
import { shown } from "./keys";
import { closeOverlay } from "./Overlays";
import { Picker, type Choice } from "./Picker";
import { choose } from "./select";
import { store } from "./state";
import { showNode } from "./places";

interface Act extends Choice {
  act: () => void;
}

function all(): Act[] {
  const { graph, data, readOnly } = store.get();
  const own = commands.filter((one) => one.id !== "commands" && one.id !== "back" && (one.enabled?.() ?? true)).map((one): Act => ({ id: one.id, title: one.title, detail: one.group, hint: one.keys?.[0] && <kbd className="kbd">{shown(one.keys[0])}</kbd>, act: one.run }));
  const nodes = graph.nodes.map((node): Act => ({ id: `node ${node.id}`, title: `Go to ${node.label}`, detail: node.kind, icon: <Icon name={iconOf(node)} size={14} />, act: () => (choose(node.id), showNode(node.id)) }));
  const items = readOnly ? [] : [...data.palette.builtin, ...data.palette.custom, ...data.palette.market].map((item): Act => ({ id: `add ${item.label} ${item.handler}`, title: `Add ${item.label}`, detail: item.description, icon: <Icon name={kindOfItem(item).icon} size={14} />, act: () => addItem(item) }));
  return [...own, ...items, ...nodes];
}

export function CommandPalette() {
  const choices = useMemo(all, []);
  return <Picker title="Commands" placeholder="Type a command, a node, or what to add…" choices={choices} onClose={closeOverlay} onPick={(choice) => (closeOverlay(), (choice as Act).act())} />;
}
