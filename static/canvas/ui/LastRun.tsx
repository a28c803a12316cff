// What the last run put into a node and got out of it, and what can be done with that.
import { useState } from "react";
import type { GNode } from "../core";
import { Button } from "./Button";
import { stepsOf } from "./lights";
import { pin, unpin } from "./pins";
import { runNode } from "./run";
import { useEditor, type Step } from "./state";
import { duration, errorText, plain, pretty } from "./words";

export function LastRun({ node }: { node: GNode }) {
  const run = useEditor((state) => state.run);
  const steps = stepsOf(run, node.id);
  const [at, setAt] = useState(-1);
  const step = steps.at(at);
  const pinned = useEditor((state) => state.canvas.pins?.[node.id]);
  const given = useEditor((state) => state.inputs[node.id]);
  return (
    <div className="ed-last">
      {steps.length > 1 && <Which steps={steps} at={at < 0 ? steps.length - 1 : at} pick={setAt} />}
      {step ? <Figures step={step} /> : <p className="ed-hint">{run ? "The node did not run in this run." : "No run is open. Run the flow, or open one of its runs."}</p>}
      <Values title="Input" value={given ?? step?.input} mark={given !== undefined ? "test input" : ""} />
      <NodeActions node={node} step={step} />
      <Values title="Output" value={pinned ?? step?.output} mark={pinned !== undefined ? "pinned" : ""} />
    </div>
  );
}

function Which({ steps, at, pick }: { steps: Step[]; at: number; pick: (at: number) => void }) {
  return (
    <label className="ed-row">Round
      <select className="ed-input" value={at} onChange={(event) => pick(Number(event.target.value))}>
        {steps.map((step, index) => <option key={index} value={index}>{index + 1}{step.error ? " failed" : ""}</option>)}
      </select>
      <span className="ed-hint">of {steps.length}</span>
    </label>
  );
}

export function Figures({ step }: { step: Step }) {
  return (
    <dl className="ed-figures">
      <div><dt>Time</dt><dd>{duration(step.duration_us)}</dd></div>
      <div><dt>Units</dt><dd>{step.units ?? 0}</dd></div>
      <div><dt>Attempt</dt><dd>{(step.attempt ?? 0) + 1}</dd></div>
      {step.error && <p role="alert" className="ed-field-problem">{errorText(step.error)}</p>}
    </dl>
  );
}

export function Values({ title, value, mark }: { title: string; value: unknown; mark?: string }) {
  return (
    <section className="ed-values">
      <h4>{title}{mark && <small>{mark}</small>}</h4>
      {value === undefined ? <p className="ed-hint">Nothing recorded.</p> : <pre className="ed-json" tabIndex={0} aria-label={title}>{pretty(value)}</pre>}
    </section>
  );
}

/** Run it alone or from here, with what it last got or what is pinned. */
export function NodeActions({ node, step }: { node: GNode; step?: Step }) {
  const readOnly = useEditor((state) => state.readOnly);
  const pinned = useEditor((state) => state.canvas.pins?.[node.id]);
  const given = useEditor((state) => state.inputs[node.id]);
  if (readOnly || node.kind === "trigger") return null;
  const payload = given ?? plain(step?.input) ?? {};
  return (
    <div className="ed-row ed-wrap">
      <Button icon="play" text label="Run this node" variant="outline" onClick={() => void runNode(node.name, payload, true)} />
      <Button icon="step" text label="Run from here" variant="outline" onClick={() => void runNode(node.name, payload, false)} />
      {pinned === undefined
        ? <Button icon="pin" text label="Pin output" variant="ghost" disabled={step === undefined || Boolean(step.error)} onClick={() => pin(node.id, plain(step?.output))} />
        : <Button icon="pin" text label="Unpin" variant="ghost" pressed onClick={() => unpin(node.id)} />}
    </div>
  );
}
