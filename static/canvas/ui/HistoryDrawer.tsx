// Earlier revisions of the flow: what changed, and back to any of them in two clicks.
import { unifiedMergeView } from "@codemirror/merge";
import { yaml } from "@codemirror/lang-yaml";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import { appearance } from "./codemirror";
import { Dialog } from "./Dialog";
import { replaceText } from "./edit";
import { closeOverlay } from "./Overlays";
import { listRevisions, textAt, type RevisionRow } from "./revisions";
import { runRevision } from "./run";
import { save } from "./save";
import { store, toast, useEditor } from "./state";

export function HistoryDrawer() {
  const [rows, setRows] = useState<RevisionRow[] | null>(null);
  const [chosen, setChosen] = useState(0);
  const [old, setOld] = useState<string | null>(null);
  const served = useEditor((state) => (state.status === "running" ? state.served : 0));
  const live = Math.max(0, ...(rows ?? []).map((row) => row.number).filter((number) => number <= served)); // the last one that changed this flow
  useEffect(() => void listRevisions().then(setRows, failed), []);
  useEffect(() => {
    setOld(null);
    if (chosen) void textAt(chosen).then(setOld, failed);
  }, [chosen]);
  return (
    <Dialog title="History" className="ed-dialog-full" onClose={closeOverlay}>
      <div className="ed-history">
        <ol aria-label="Revisions">{(rows ?? []).map((row) => <Row key={row.number} row={row} live={row.number === live} on={row.number === chosen} pick={() => setChosen(row.number)} />)}</ol>
        <div className="ed-history-diff">{old === null ? <p className="ed-hint">{chosen ? "Loading…" : rows ? "Choose a revision to see what has changed since." : "Loading…"}</p> : <Difference old={old} number={chosen} />}</div>
      </div>
    </Dialog>
  );
}

function failed(problem: unknown): void {
  toast(problem instanceof Error ? problem.message : String(problem), "error");
}

function Row({ row, live, on, pick }: { row: RevisionRow; live: boolean; on: boolean; pick: () => void }) {
  return (
    <li>
      <button type="button" aria-pressed={on} onClick={pick}>
        <strong>{row.number}{live && <em> live</em>}</strong>
        <span>{row.message || "Saved"}</span>
        <small>{row.author ?? ""} · {new Date(row.created).toLocaleString()}</small>
      </button>
    </li>
  );
}

function Difference({ old, number }: { old: string; number: number }) {
  const place = useRef<HTMLDivElement>(null);
  const text = useEditor((state) => state.text);
  const readOnly = useEditor((state) => state.readOnly);
  const runs = useEditor((state) => state.status === "running" && !state.readOnly);
  useEffect(() => {
    const state = EditorState.create({ doc: text, extensions: [lineNumbers(), yaml(), appearance, EditorState.readOnly.of(true), EditorView.editable.of(false), unifiedMergeView({ original: old, mergeControls: false, collapseUnchanged: { margin: 3 } })] });
    const view = new EditorView({ state, parent: place.current! });
    return () => view.destroy();
  }, [old, text]);
  const restore = async (): Promise<void> => {
    replaceText(old);
    closeOverlay();
    if (await save()) toast(`Revision ${number} is restored as revision ${store.get().revision}.`, "success");
  };
  return (
    <>
      <div className="ed-row"><span className="ed-hint">{old === text ? "The same as what is open." : `From revision ${number} to what is open now.`}</span><span className="ed-grow" />{runs && <button type="button" className="btn" data-variant="outline" data-size="sm" onClick={() => runRevision(number)}>Run revision {number}</button>}{!readOnly && old !== text && <button type="button" className="btn" data-size="sm" onClick={() => void restore()}>Restore revision {number}</button>}</div>
      <div className="ed-text" ref={place} />
    </>
  );
}
