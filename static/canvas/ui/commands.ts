// All that can be done, in one list: keys, the help page and the command palette are made from it.
import { addNoteHere, align, copyChosen, cutChosen, duplicateChosen, focusPalette, openInspector, removeChosen, renameChosen, toggleChosen } from "./actions";
import { redo, tidyUp, undo } from "./edit";
import { chosenGroups, foldChosen, groupChosen, ungroupChosen } from "./groups";
import { closeRun, runFlow, stopFlow } from "./run";
import { save } from "./save";
import { chosenNodes, select, selectAll } from "./select";
import { store } from "./state";
import { view } from "./viewport";
import { show } from "./views";

export interface Command {
  id: string;
  title: string;
  group: "Flow" | "Edit" | "Node" | "View";
  keys?: string[];
  run: () => void;
  enabled?: () => boolean;
  /** Also while writing in a field. */
  always?: boolean;
}

const may = (): boolean => !store.get().readOnly;
const one = (): boolean => may() && chosenNodes().length === 1;
const some = (): boolean => may() && (store.get().selected.length > 0 || store.get().selectedEdge !== "");

/** Escape goes one step back each time. */
function back(): void {
  const { overlay, inspecting, selected, runShown } = store.get();
  if (overlay) store.set({ overlay: "" });
  else if (inspecting) store.set({ inspecting: false });
  else if (selected.length) select([]);
  else if (runShown) closeRun();
}

export const commands: Command[] = [
  { id: "save", title: "Save", group: "Flow", keys: ["Mod+S"], run: () => void save(), always: true },
  { id: "run", title: "Run…", group: "Flow", keys: ["Mod+Enter"], run: () => void runFlow(), enabled: may, always: true },
  { id: "stop", title: "Stop the flow", group: "Flow", run: () => void stopFlow(), enabled: () => store.get().data.may_write },
  { id: "history", title: "History and restore", group: "Flow", keys: ["H"], run: () => store.set({ overlay: "history" }) },
  { id: "webhook", title: "Triggers and addresses", group: "Flow", keys: ["W"], run: () => store.set({ overlay: "webhook" }) },
  { id: "commands", title: "Command palette", group: "Flow", keys: ["Mod+K"], run: () => store.set({ overlay: "commands" }), always: true },
  { id: "help", title: "Keys", group: "Flow", keys: ["?"], run: () => store.set({ overlay: "help" }) },
  { id: "undo", title: "Undo", group: "Edit", keys: ["Mod+Z"], run: undo, enabled: () => store.get().canUndo },
  { id: "redo", title: "Redo", group: "Edit", keys: ["Mod+Shift+Z", "Mod+Y"], run: redo, enabled: () => store.get().canRedo },
  { id: "tidy", title: "Tidy the layout", group: "Edit", keys: ["Shift+T"], run: tidyUp, enabled: may },
  { id: "all", title: "Select everything", group: "Edit", keys: ["Mod+A"], run: selectAll },
  { id: "copy", title: "Copy as YAML", group: "Edit", run: () => void copyChosen(), enabled: () => chosenNodes().length > 0 },
  { id: "cut", title: "Cut", group: "Edit", run: () => void cutChosen(), enabled: some },
  { id: "duplicate", title: "Duplicate", group: "Edit", keys: ["Mod+D"], run: duplicateChosen, enabled: some },
  { id: "delete", title: "Delete", group: "Edit", keys: ["Delete", "Backspace"], run: removeChosen, enabled: some },
  { id: "add", title: "Add a node", group: "Node", keys: ["/", "A"], run: focusPalette, enabled: may },
  { id: "note", title: "Add a note", group: "Node", keys: ["Shift+S"], run: addNoteHere, enabled: may },
  { id: "inspect", title: "Open the inspector", group: "Node", keys: ["Enter"], run: openInspector, enabled: () => chosenNodes().length === 1 },
  { id: "node", title: "Input, parameters and output side by side", group: "Node", keys: ["O"], run: () => store.set({ overlay: "node" }), enabled: () => chosenNodes().length === 1 },
  { id: "connect", title: "Connect to…", group: "Node", keys: ["C"], run: () => store.set({ overlay: "connect" }), enabled: one },
  { id: "rename", title: "Rename", group: "Node", keys: ["F2"], run: renameChosen, enabled: one },
  { id: "disable", title: "Disable or enable", group: "Node", keys: ["D"], run: toggleChosen, enabled: some },
  { id: "group", title: "Group", group: "Node", keys: ["Mod+G"], run: groupChosen, enabled: () => may() && chosenNodes().length > 0 },
  { id: "ungroup", title: "Ungroup", group: "Node", keys: ["Mod+Shift+G"], run: ungroupChosen, enabled: () => may() && chosenGroups().length > 0 },
  { id: "fold", title: "Collapse or open the group", group: "Node", keys: ["G"], run: foldChosen, enabled: () => may() && chosenGroups().length > 0 },
  { id: "align-left", title: "Align left", group: "Node", run: () => align("x"), enabled: () => may() && chosenNodes().length > 1 },
  { id: "align-top", title: "Align top", group: "Node", run: () => align("y"), enabled: () => may() && chosenNodes().length > 1 },
  { id: "canvas", title: "Canvas", group: "View", keys: ["1"], run: () => show("canvas") },
  { id: "yaml", title: "YAML", group: "View", keys: ["2"], run: () => show("yaml") },
  { id: "split", title: "Split", group: "View", keys: ["3"], run: () => show("split") },
  { id: "palette", title: "Show or hide the palette", group: "View", keys: ["P"], run: () => store.set({ palette: !store.get().palette }), enabled: may },
  { id: "minimap", title: "Show or hide the minimap", group: "View", keys: ["M"], run: () => store.set({ minimap: !store.get().minimap }) },
  { id: "fit", title: "Fit the flow", group: "View", keys: ["F"], run: () => view.fit() },
  { id: "in", title: "Zoom in", group: "View", keys: ["+", "="], run: () => view.zoom(1.2) },
  { id: "out", title: "Zoom out", group: "View", keys: ["-"], run: () => view.zoom(1 / 1.2) },
  { id: "hundred", title: "Zoom to 100 %", group: "View", keys: ["0"], run: () => view.zoomTo(1) },
  { id: "back", title: "Close, or let go", group: "View", keys: ["Escape"], run: back },
];
