// Somebody saved in the meantime: theirs, mine, and the two merged; nothing is lost whichever is taken.
import { yaml } from "@codemirror/lang-yaml";
import { EditorState } from "@codemirror/state";
import { Decoration, EditorView, lineNumbers, MatchDecorator, ViewPlugin, type DecorationSet, type PluginValue } from "@codemirror/view";
import { useEffect, useMemo, useRef, useState } from "react";
import { merge3 } from "../core";
import { appearance, difference } from "./codemirror";
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

const BLOCK = /^# <<<<<<< mine\r?\n([\s\S]*?)^# =======\r?\n([\s\S]*?)^# >>>>>>> theirs\r?\n?/m;

/** The first place that is left, settled. */
function settled(text: string, which: "mine" | "theirs" | "both"): string {
  return text.replace(BLOCK, (_, mine: string, theirs: string) => (which === "mine" ? mine : which === "theirs" ? theirs : mine + theirs));
}

function Three({ conflict }: { conflict: Conflict }) {
  const merged = useMemo(() => merge3(conflict.base, conflict.mine, conflict.theirs), [conflict]);
  const [text, setText] = useState(merged.text);
  const open = (text.match(/^# <<<<<<< mine\r?$/gm) ?? []).length;
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
      <p className="ed-hint">{merged.conflicts ? `${count(merged.conflicts, "place")} changed on both sides, marked in the middle.` : "Both sides fit together."} Whatever you take, the other stays: theirs in the history, yours in the undo steps.</p>
      {open > 0 && (
        <div className="ed-settle" role="group" aria-label="The next place">
          <span>{count(open, "place")} to settle. The next one:</span>
          {(["theirs", "both", "mine"] as const).map((which) => <button key={which} type="button" className="btn" data-variant="outline" data-size="xs" onClick={() => setText(settled(text, which))}>{which}</button>)}
        </div>
      )}
      <div className="ed-columns ed-three">
        <Text title="Theirs" value={conflict.theirs} />
        <Text title="Merged" value={text} onChange={setText} />
        <Text title="Mine" value={conflict.mine} />
      </div>
    </Dialog>
  );
}

const marks = new MatchDecorator({ regexp: /^# (?:<<<<<<< mine|=======|>>>>>>> theirs)$/g, decoration: Decoration.mark({ class: "cm-conflict" }) });
const marked = ViewPlugin.define<PluginValue & { shown: DecorationSet }>(
  (view) => ({ shown: marks.createDeco(view), update(update) { this.shown = marks.updateDeco(update, this.shown); } }),
  { decorations: (plugin) => plugin.shown },
);

function made(parent: HTMLElement, value: string, title: string, onChange?: (value: string) => void): EditorView {
  const listen = EditorView.updateListener.of((update) => update.docChanged && onChange?.(update.state.doc.toString()));
  const state = EditorState.create({ doc: value, extensions: [lineNumbers(), EditorView.lineWrapping, yaml(), appearance, marked, listen, EditorState.readOnly.of(!onChange), EditorView.contentAttributes.of({ "aria-label": title, tabindex: "0" })] });
  return new EditorView({ state, parent });
}

function Text({ title, value, onChange }: { title: string; value: string; onChange?: (value: string) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  useEffect(() => {
    const own = made(place.current!, value, title, onChange);
    const first = value.search(/^# <<<<<<< mine/m);
    if (first >= 0) own.dispatch({ effects: EditorView.scrollIntoView(first, { y: "center" }) });
    view.current = own;
    return () => own.destroy();
    // Made once; later values come in below.
    // eslint-disable-next-line
  }, []);
  useEffect(() => {
    const change = view.current && difference(view.current.state.doc.toString(), value);
    if (change) view.current?.dispatch({ changes: change });
  }, [value]);
  return <div><h4>{title}</h4><div className="ed-text" ref={place} /></div>;
}
