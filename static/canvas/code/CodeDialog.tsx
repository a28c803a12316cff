// The source of a code node: written, compiled in the browser, and saved with its module and the flow as one revision.
import type { EditorView } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import type { GNode } from "../core";
import { Dialog } from "../ui/Dialog";
import { closeOverlay } from "../ui/Overlays";
import { useEditor } from "../ui/state";
import { count } from "../ui/words";
import { build, type Built, type Fault } from "./build";
import { CodeEditor } from "./CodeEditor";
import { keep } from "./keep";
import { drafts, freshName, moduleOf, stored, type Stored } from "./stored";
import { TEMPLATE } from "./template";

const PAUSE_MS = 700;
const NOTES = { current: "", older: "The module is older than this source: build it.", foreign: "The module was built elsewhere; building it here replaces it." };

export function CodeDialog() {
  const node = useEditor((state) => state.graph.nodes.find((one) => one.id === state.selected[0] && one.kind === "code"));
  // The name stays what it was when the dialog opened: the first build gives the node its handler.
  const [name] = useState(() => (node ? moduleOf(node).module || freshName(node) : ""));
  const [found, setFound] = useState<Stored | string | null>(null);
  useEffect(() => {
    if (!node || !name) return;
    if (!moduleOf(node).module) return setFound({ source: TEMPLATE, module: "current" });
    stored(name).then(setFound, (why: Error) => setFound(why.message));
    // eslint-disable-next-line
  }, [name]);
  if (!node) return null;
  if (typeof found === "string") return <Dialog title={`wasm/${name}.ts`} onClose={closeOverlay}><p role="alert">{found}</p></Dialog>;
  return found ? <Source node={node} name={name} found={found} /> : null;
}

function Source({ node, name, found }: { node: GNode; name: string; found: Stored }) {
  const readOnly = useEditor((state) => state.readOnly) || node.readOnly;
  const [first] = useState(() => drafts.get(name) ?? found.source);
  const text = useRef(first);
  const view = useRef<EditorView | null>(null);
  const { built, busy, check } = useBuild(name, text, readOnly);
  const [called, setCalled] = useState(moduleOf(node).called);
  const [saving, setSaving] = useState(false);
  const [note, setNote] = useState(NOTES[found.module]);
  const change = (now: string): void => {
    text.current = now;
    if (now === found.source) drafts.delete(name);
    else drafts.set(name, now);
    check(PAUSE_MS);
  };
  const finish = async (): Promise<void> => {
    if (readOnly || saving) return;
    setSaving(true);
    const done = await check(0);
    const told = done?.wasm ? await keep(node.id, name, done, called) : "";
    setSaving(false);
    if (done?.wasm) setNote(told);
    if (done?.wasm && !told) closeOverlay();
  };
  const names = built?.functions ?? [];
  return (
    <Dialog title={`wasm/${name}.ts`} wide className="ed-code-dialog" onClose={closeOverlay} footer={(
      <>
        <p className="ed-hint" role="status">{note || summary(built, busy)}</p>
        <span className="ed-grow" />
        {names.length > 1 && <label className="ed-hint">Function <select className="ed-input ed-mono" aria-label="Function" value={names.includes(called) ? called : names[0]} disabled={readOnly} onChange={(event) => setCalled(event.target.value)}>{names.map((one) => <option key={one}>{one}</option>)}</select></label>}
        <button type="button" className="btn" data-variant="outline" data-size="sm" onClick={closeOverlay}>Close</button>
        {!readOnly && <button type="button" className="btn" data-size="sm" disabled={saving} onClick={() => void finish()}>{saving ? "Building…" : "Build and save"}</button>}
      </>
    )}>
      <CodeEditor text={first} faults={built?.faults ?? []} readOnly={readOnly} view={view} onChange={change} onBuild={() => void finish()} />
      <Faults faults={built?.faults ?? []} view={view} />
    </Dialog>
  );
}

/** Builds a moment after the last key, and at once when asked. */
function useBuild(name: string, text: { readonly current: string }, readOnly: boolean) {
  const [built, setBuilt] = useState<Built | null>(null);
  const [busy, setBusy] = useState(false);
  const newest = useRef(0);
  const timer = useRef(0);
  const now = async (): Promise<Built | null> => {
    const source = text.current;
    if (built?.source === source && built.wasm) return built;
    const own = (newest.current += 1);
    setBusy(true);
    const done = await build(name, source).catch((why: Error): Built => ({ id: 0, source, wasm: null, functions: [], faults: [{ severity: "error", line: 1, column: 1, from: 0, to: 0, message: why.message }] }));
    if (own !== newest.current) return null;
    setBuilt(done);
    setBusy(false);
    return done;
  };
  const check = async (pause: number): Promise<Built | null> => {
    clearTimeout(timer.current);
    if (pause === 0) return now();
    timer.current = window.setTimeout(() => void now(), pause);
    return null;
  };
  useEffect(() => {
    if (!readOnly) void check(0);
    return () => (clearTimeout(timer.current), void (newest.current += 1));
    // eslint-disable-next-line
  }, []);
  return { built, busy, check };
}

function summary(built: Built | null, busy: boolean): string {
  if (!built) return busy ? "Loading the compiler…" : "";
  const errors = built.faults.filter((one) => one.severity === "error").length;
  if (errors) return count(errors, "error");
  return built.wasm ? `Compiles: ${(built.wasm.length / 1024).toFixed(1)} KB${built.functions.length === 1 ? `, ${built.functions[0]}` : ""}` : "";
}

function Faults({ faults, view }: { faults: readonly Fault[]; view: { readonly current: EditorView | null } }) {
  if (!faults.length) return null;
  const go = (from: number): void => {
    view.current?.dispatch({ selection: { anchor: Math.min(from, view.current.state.doc.length) }, scrollIntoView: true });
    view.current?.focus();
  };
  return (
    <ul className="ed-faults" aria-label="What the compiler says">
      {faults.map((one, index) => <li key={index} data-tone={one.severity}><button type="button" onClick={() => go(one.from)}><span className="ed-mono">{one.line}:{one.column}</span> {one.message}</button></li>)}
    </ul>
  );
}
