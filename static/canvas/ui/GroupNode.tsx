// A frame around nodes that belong together; taken by its head it moves them all.
import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import type { Frame } from "../core";
import { fold, renameGroup } from "./groups";
import { Icon } from "./icons";
import { useEditor } from "./state";
import { count } from "./words";

export type GroupNodeType = Node<{ frame: Frame } & Record<string, unknown>, "frame">;
/** By this a group is taken and moved. */
export const GROUP_HANDLE = "group-head";

export const GroupNode = memo(function GroupNode({ data: { frame }, selected }: NodeProps<GroupNodeType>) {
  const readOnly = useEditor((state) => state.readOnly);
  const [naming, setNaming] = useState(false);
  const run = useEditor((state) => worst(frame.members.map((name) => state.nodeRuns[name]?.state)));
  const { collapsed } = frame;
  return (
    <section className="group" aria-label={`Group ${frame.name}`} data-collapsed={collapsed || undefined} data-selected={selected || undefined} data-run={(collapsed && run) || undefined} style={{ width: frame.width, height: frame.height }}>
      {collapsed && <Handle type="target" position={Position.Left} id="in" className="nd-port nd-in" style={{ top: 26 }} isConnectable={false} />}
      <header className={GROUP_HANDLE} onDoubleClick={() => setNaming(!readOnly)} title={readOnly ? undefined : "Drag to move all of it, double-click to name it"}>
        {!readOnly && <button type="button" className="group-fold nodrag" aria-expanded={!collapsed} aria-label={`${collapsed ? "Open" : "Collapse"} group ${frame.name}`} title={`${collapsed ? "Open" : "Collapse"} (G)`} onClick={() => fold([frame.id], !collapsed)}><Icon name="chevron" size={14} /></button>}
        {naming ? <Naming frame={frame} done={() => setNaming(false)} /> : <strong>{frame.name || "Group"}</strong>}
        <small>{collapsed ? count(frame.members.length, "node") : frame.members.length}</small>
      </header>
      {collapsed && <Handle type="source" position={Position.Right} id="peer" className="nd-port nd-out" style={{ top: 26 }} isConnectable={false} />}
    </section>
  );
});

/** What the last run did in it, of all its nodes the worst. */
function worst(states: readonly (string | undefined)[]): string | undefined {
  return ["failed", "running", "success"].find((state) => states.includes(state));
}

function Naming({ frame, done }: { frame: Frame; done: () => void }) {
  const finish = (name: string): void => {
    renameGroup(frame.id, name.trim());
    done();
  };
  return <input className="nodrag" autoFocus maxLength={80} defaultValue={frame.name} aria-label="Name of the group" onFocus={(event) => event.target.select()} onBlur={(event) => finish(event.target.value)} onKeyDown={(event) => { if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur(); event.stopPropagation(); }} />;
}
