// A sticky note on the canvas; its text is written in place.
import { NodeResizer, type Node, type NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import type { Note } from "./data";
import { changeNote } from "./notes";
import { useEditor } from "./state";

export type NoteNodeType = Node<{ id: string; note: Note } & Record<string, unknown>, "note">;

export const NoteNode = memo(function NoteNode({ data, selected }: NodeProps<NoteNodeType>) {
  const readOnly = useEditor((state) => state.readOnly);
  const [writing, setWriting] = useState(false);
  const { id, note } = data;
  return (
    <div className="note" data-selected={selected || undefined} style={{ width: note.width, height: note.height }} onDoubleClick={() => setWriting(!readOnly)}>
      {selected && !readOnly && <NodeResizer minWidth={120} minHeight={60} onResizeEnd={(_, size) => changeNote(id, { x: size.x, y: size.y, width: size.width, height: size.height })} />}
      {writing ? <Writing id={id} text={note.text} done={() => setWriting(false)} /> : <p>{note.text || "Double-click to write."}</p>}
    </div>
  );
});

function Writing({ id, text, done }: { id: string; text: string; done: () => void }) {
  const finish = (value: string): void => {
    if (value !== text) changeNote(id, { text: value });
    done();
  };
  return <textarea className="nodrag nowheel" autoFocus defaultValue={text} aria-label="Text of the note" onBlur={(event) => finish(event.target.value)} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); event.stopPropagation(); }} />;
}
