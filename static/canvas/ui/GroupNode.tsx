// A frame around nodes that belong together; taken by its head it moves them all.
import type { Node, NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import type { Frame } from "../core";
import { renameGroup } from "./groups";
import { useEditor } from "./state";

export type GroupNodeType = Node<{ frame: Frame } & Record<string, unknown>, "frame">;
/** By this a group is taken and moved. */
export const GROUP_HANDLE = "group-head";

export const GroupNode = memo(function GroupNode({ data: { frame }, selected }: NodeProps<GroupNodeType>) {
  const readOnly = useEditor((state) => state.readOnly);
  const [naming, setNaming] = useState(false);
  return (
    <section className="group" aria-label={`Group ${frame.name}`} data-selected={selected || undefined} style={{ width: frame.width, height: frame.height }}>
      <header className={GROUP_HANDLE} onDoubleClick={() => setNaming(!readOnly)} title={readOnly ? undefined : "Drag to move all of it, double-click to name it"}>
        {naming ? <Naming frame={frame} done={() => setNaming(false)} /> : <strong>{frame.name || "Group"}</strong>}
        <small>{frame.members.length}</small>
      </header>
    </section>
  );
});

function Naming({ frame, done }: { frame: Frame; done: () => void }) {
  const finish = (name: string): void => {
    renameGroup(frame.id, name.trim());
    done();
  };
  return <input className="nodrag" autoFocus maxLength={80} defaultValue={frame.name} aria-label="Name of the group" onFocus={(event) => event.target.select()} onBlur={(event) => finish(event.target.value)} onKeyDown={(event) => { if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur(); event.stopPropagation(); }} />;
}
