// The chosen node at the right: its form, its problems, and what the last run put in and got out.
import { lazy, memo, Suspense, useMemo, useState } from "react";
import type { GNode } from "../core";
import { Boundary } from "./Boundary";
import { Button } from "./Button";
import { removeChosen, duplicateChosen, toggleChosen } from "./actions";
import { iconOf, toneOf } from "./FlowNode";
import { focusNode } from "./focus";
import { Icon } from "./icons";
import { LastRun } from "./LastRun";
import { allProblems, linesOf, problemsOf } from "./problems";
import { TITLES } from "./shape";
import { store, useEditor } from "./state";
import type { Problem } from "./http";

const Form = lazy(() => import("./Form").then((found) => ({ default: found.Form })));

export function Inspector() {
  const open = useEditor((state) => state.inspecting && state.view !== "yaml");
  const chosen = useEditor((state) => (state.selected.length === 1 ? (state.selected[0] ?? "") : ""));
  const node = useEditor((state) => (chosen ? state.graph.nodes.find((one) => one.id === chosen) : undefined));
  if (!open || !node) return null;
  return <Panel key={node.id} node={node} />;
}

const Panel = memo(function Panel({ node }: { node: GNode }) {
  const [tab, setTab] = useState<"form" | "run">("form");
  const readOnly = useEditor((state) => state.readOnly);
  const ran = useEditor((state) => Boolean(state.nodeRuns[node.id]));
  return (
    <aside className="ed-inspector" data-node={node.id} aria-label={`Inspector of ${node.label}`} onKeyDown={(event) => event.key === "Escape" && !event.defaultPrevented && close(node.id)}>
      <header data-tone={toneOf(node.kind)}>
        <span className="ed-item-icon"><Icon name={iconOf(node)} size={16} /></span>
        <div><strong>{node.label}</strong><small>{TITLES[node.kind] ?? node.kind}</small></div>
        <button type="button" className="ed-icon-button" aria-label="Close the inspector" onClick={() => close(node.id)}><Icon name="close" /></button>
      </header>
      {!readOnly && <Actions node={node} />}
      <div className="ed-tabs" role="tablist">
        <Tab on={tab === "form"} label="Parameters" pick={() => setTab("form")} />
        <Tab on={tab === "run"} label={ran ? "Last run •" : "Last run"} pick={() => setTab("run")} />
      </div>
      <Problems node={node} />
      <div className="ed-inspector-body" role="tabpanel">
        <Boundary part="This form" key={tab}>{tab === "form" ? <Suspense fallback={null}><Form node={node} /></Suspense> : <LastRun node={node} />}</Boundary>
      </div>
    </aside>
  );
});

function close(id: string): void {
  store.set({ inspecting: false });
  focusNode(id);
}

function Tab({ on, label, pick }: { on: boolean; label: string; pick: () => void }) {
  return <button type="button" role="tab" aria-selected={on} onClick={pick}>{label}</button>;
}

function Actions({ node }: { node: GNode }) {
  return (
    <div className="ed-inspector-actions">
      <Button icon="step" label="Side by side" hint="O" text variant="outline" onClick={() => store.set({ overlay: "node" })} />
      <span className="ed-grow" />
      <Button icon="copy" label="Duplicate" hint="Ctrl+D" onClick={duplicateChosen} />
      {node.kind !== "trigger" && <Button icon="off" label={node.disabled ? "Enable" : "Disable"} hint="D" pressed={node.disabled} onClick={toggleChosen} />}
      <Button icon="trash" label="Delete" hint="Del" onClick={removeChosen} />
    </div>
  );
}

export function useProblems(node: GNode): Problem[] {
  const problems = useEditor(allProblems);
  const graph = useEditor((state) => state.graph);
  const text = useEditor((state) => state.text);
  return useMemo(() => (problems.length ? problemsOf(node, linesOf(graph, text), problems) : []), [node, graph, text, problems]);
}

function Problems({ node }: { node: GNode }) {
  const own = useProblems(node);
  if (!own.length) return null;
  return (
    <ul className="ed-problems" aria-label="Problems">
      {own.map((problem) => (
        <li key={`${problem.line}:${problem.message}`} data-tone={problem.severity}><Icon name="alert" size={13} /><span>{problem.message}{problem.hint && <small>{problem.hint}</small>}</span></li>
      ))}
    </ul>
  );
}
