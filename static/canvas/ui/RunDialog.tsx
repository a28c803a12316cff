// What to send into the flow: through which trigger, with which payload.
import { useMemo, useState } from "react";
import { Dialog } from "./Dialog";
import { Expression } from "./fields/Expression";
import { closeOverlay } from "./Overlays";
import { inject, wantedRevision } from "./run";
import { store, useEditor } from "./state";
import { pretty } from "./words";

const KEPT = "priostack.payload.";

function firstPayload(flow: string, trigger: string): string {
  const { data, run } = store.get();
  const kept = sessionStorage.getItem(KEPT + flow + trigger);
  if (kept) return kept;
  const sample = data.flow.triggers.find((one) => one.name === trigger)?.sample ?? run?.payload;
  return pretty(sample ?? told(store.get().text)) || "{}";
}

/** What the comment at the top of the file sends when it shows a call: `curl … -d '{"name": "Ann"}'`. */
function told(text: string): unknown {
  const head = /^(?:#.*\r?\n)+/.exec(text)?.[0].replace(/^#/gm, " ") ?? "";
  const data = /(?:^|\s)-d '([^']+)'/.exec(head)?.[1] ?? "";
  return problem(data) ? undefined : (JSON.parse(data) as unknown);
}

export function RunDialog() {
  const flow = useEditor((state) => state.data.flow.id);
  const graph = useEditor((state) => state.graph);
  const triggers = useMemo(() => graph.nodes.filter((node) => node.kind === "trigger").map((node) => node.id), [graph]);
  const [trigger, setTrigger] = useState(triggers[0] ?? "");
  const [text, setText] = useState(() => firstPayload(flow, trigger));
  const [revision] = useState(wantedRevision);
  const wrong = useMemo(() => problem(text), [text]);
  const send = (): void => {
    if (wrong) return;
    sessionStorage.setItem(KEPT + flow + trigger, text);
    void inject({ trigger: trigger || undefined, payload: JSON.parse(text) as unknown, revision: revision || undefined });
  };
  return (
    <Dialog title={revision ? `Run revision ${revision}` : "Run the flow"} onClose={closeOverlay} footer={<><button type="button" className="btn" data-variant="outline" data-size="sm" onClick={closeOverlay}>Cancel</button><button type="button" className="btn" data-size="sm" disabled={Boolean(wrong)} onClick={send}>Run now</button></>}>
      {triggers.length > 1 && (
        <div className="ed-field">
          <label htmlFor="ed-run-trigger">Trigger</label>
          <select id="ed-run-trigger" className="ed-input" value={trigger} onChange={(event) => (setTrigger(event.target.value), setText(firstPayload(flow, event.target.value)))}>{triggers.map((name) => <option key={name}>{name}</option>)}</select>
        </div>
      )}
      <div className="ed-field" onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.stopPropagation(); send(); } }}>
        <label htmlFor="ed-run-payload">Payload, as JSON</label>
        <Expression key={trigger} id="ed-run-payload" label="Payload, as JSON" node="" bare lines value={text} readOnly={false} onChange={setText} />
        <p className="ed-hint">{wrong ? <span className="ed-field-problem">{wrong}</span> : "What a caller of the trigger would send. It is remembered for the next time."}</p>
      </div>
    </Dialog>
  );
}

function problem(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (wrong) {
    return wrong instanceof Error ? wrong.message : String(wrong);
  }
}
