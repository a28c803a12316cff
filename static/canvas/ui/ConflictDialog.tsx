// Somebody saved in the meantime: theirs, mine, and the two merged; nothing is lost whichever is taken.
import { yaml } from "@codemirror/lang-yaml";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useMemo, useRef, useState } from "react";
import { merge3 } from "../core";
import { appearance } from "./codemirror";
import { Dialog } from "./Dialog";
import { replaceText } from "./edit";
import { closeOverlay } from "./Overlays";
import { settle } from "./save";
import { useEditor, type Conflict } from "./state";
import { count } from "./words";

export function ConflictDialog() {
  const conflict = useEditor((state) => state.conflict);
  return conflict ? <Three conflict={conflict} /> : null;
}

function Three({ conflict }: { conflict: Conflict }) {
  const merged = useMemo(() => merge3(conflict.base, conflict.mine, conflict.theirs), [conflict]);
  const [text, setText] = useState(merged.text);
  const open = (text.match(/^# (<<<<<<< mine|=======|>>>>>>> theirs)$/gm) ?? []).length / 3;
  const take = (now: string): void => void settle(now, replaceText);
  const footer = (
    <>
      <button type="button" className="btn" data-variant="ghost" data-size="sm" onClick={closeOverlay}>Decide later</button>
      <span className="ed-grow" />
      <button type="button" className="btn" data-variant="outline" data-size="sm" onClick={() => take(conflict.theirs)}>Take theirs</button>
      <button type="button" className="btn" data-variant="outline" data-size="sm" onClick={() => take(conflict.mine)}>Keep mine</button>
      <button type="button" className="btn" data-size="sm" disabled={open > 0} onClick={() => take(text)}>Save merged</button>
    </>
  );
  return (
    <Dialog title={`Revision ${conflict.revision} was saved by somebody else`} className="ed-dialog-full" onClose={closeOverlay} footer={footer}>
      <p className="ed-hint">{merged.conflicts ? `${count(merged.conflicts, "place")} changed on both sides: they are marked in the middle. Choose there, or take one side whole.` : "Both sides fit together."} Whatever you take, the other stays: theirs in the history, yours in the undo steps.</p>
      <div className="ed-columns ed-three">
        <Text title="Theirs" value={conflict.theirs} />
        <Text title={open > 0 ? `Merged, ${count(Math.ceil(open), "place")} to settle` : "Merged"} value={merged.text} onChange={setText} />
        <Text title="Mine" value={conflict.mine} />
      </div>
    </Dialog>
  );
}

function Text({ title, value, onChange }: { title: string; value: string; onChange?: (value: string) => void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const listen = EditorView.updateListener.of((update) => update.docChanged && onChange?.(update.state.doc.toString()));
    const state = EditorState.create({ doc: value, extensions: [lineNumbers(), yaml(), appearance, listen, EditorState.readOnly.of(!onChange), EditorView.contentAttributes.of({ "aria-label": title.split(",")[0]!, tabindex: "0" })] });
    const view = new EditorView({ state, parent: place.current! });
    return () => view.destroy();
    // Made once: what is typed afterwards is the field's own.
    // eslint-disable-next-line
  }, [value]);
  return <div><h4>{title}</h4><div className="ed-text" ref={place} /></div>;
}
