// Every key, by what it does.
import { commands } from "./commands";
import { Dialog } from "./Dialog";
import { shown } from "./keys";
import { closeOverlay } from "./Overlays";

const MORE: [string, string][] = [
  ["Tab", "Next node"], ["Arrow keys", "Move the chosen nodes"], ["Alt+→ Alt+←", "Follow the wire"], ["Alt+↑ Alt+↓", "The node above or below"],
  ["Ctrl+C Ctrl+X Ctrl+V", "Copy, cut, paste: as YAML text, also between flows"], ["Shift+click", "Choose several"], ["Drag on the canvas", "Choose all inside"],
  ["Space+drag, wheel", "Move the view"], ["Ctrl+wheel", "Zoom"], ["Escape", "Close, or let go"],
];
const GROUPS = ["Flow", "Edit", "Node", "View"] as const;

export function Help() {
  return (
    <Dialog title="Keys" wide onClose={closeOverlay}>
      <div className="ed-help">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>{commands.filter((one) => one.group === group && one.keys).map((one) => <div key={one.id}><dt>{one.title}</dt><dd>{one.keys!.slice(0, 2).map((key) => <kbd key={key} className="kbd">{shown(key)}</kbd>)}</dd></div>)}</dl>
          </section>
        ))}
        <section>
          <h3>On the canvas</h3>
          <dl>{MORE.map(([keys, title]) => <div key={keys}><dt>{title}</dt><dd><kbd className="kbd">{keys}</kbd></dd></div>)}</dl>
        </section>
      </div>
    </Dialog>
  );
}
