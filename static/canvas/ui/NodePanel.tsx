// One node, wide: last input, parameters, last output, side by side.
import { useState } from "react";
import { Dialog } from "./Dialog";
import { Form } from "./Form";
import { Figures, NodeActions, Values } from "./LastRun";
import { stepsOf } from "./lights";
import { closeOverlay } from "./Overlays";
import { setInput } from "./pins";
import { chosenNodes } from "./select";
import { TITLES } from "./shape";
import { useEditor } from "./state";
import { pretty } from "./words";

export function NodePanel() {
  const [id] = useState(() => chosenNodes()[0] ?? "");
  const node = useEditor((state) => state.graph.nodes.find((one) => one.id === id) ?? state.graph.nodes.find((one) => one.id === state.selected[0]));
  const run = useEditor((state) => state.run);
  const pinned = useEditor((state) => (node ? state.canvas.pins?.[node.id] : undefined));
  const given = useEditor((state) => (node ? state.inputs[node.id] : undefined));
  if (!node) return null;
  const step = stepsOf(run, node.id).at(-1);
  return (
    <Dialog title={`${node.label} · ${TITLES[node.kind] ?? node.kind}`} className="ed-dialog-full" onClose={closeOverlay}>
      <div className="ed-columns">
        <div>
          <Values title="Input" value={given ?? step?.input} mark={given !== undefined ? "test input" : ""} />
          <TestInput node={node.id} value={given ?? step?.input} />
        </div>
        <div>
          <h4>Parameters</h4>
          <Form node={node} />
        </div>
        <div>
          {step && <Figures step={step} />}
          <Values title="Output" value={pinned ?? step?.output} mark={pinned !== undefined ? "pinned" : ""} />
          <NodeActions node={node} step={step} />
        </div>
      </div>
    </Dialog>
  );
}

/** What the node gets when it is run by itself, written by hand. */
function TestInput({ node, value }: { node: string; value: unknown }) {
  const readOnly = useEditor((state) => state.readOnly);
  const [draft, setDraft] = useState<string | null>(null);
  const [wrong, setWrong] = useState("");
  if (readOnly) return null;
  if (draft === null) return <button type="button" className="ed-add" onClick={() => setDraft(pretty(value) || "{}")}>Write a test input…</button>;
  const keep = (): void => {
    try {
      setInput(node, JSON.parse(draft));
      setDraft(null);
      setWrong("");
    } catch (problem) {
      setWrong(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <div className="ed-field">
      <label htmlFor="ed-test-data">Test input, as JSON</label>
      <textarea id="ed-test-data" className="ed-input ed-mono" rows={8} value={draft} spellCheck={false} onChange={(event) => setDraft(event.target.value)} />
      {wrong && <p className="ed-field-problem" role="alert">{wrong}</p>}
      <div className="ed-row"><button type="button" className="btn" data-size="sm" onClick={keep}>Keep</button><button type="button" className="btn" data-variant="ghost" data-size="sm" onClick={() => setDraft(null)}>Cancel</button></div>
    </div>
  );
}
