// On a phone: how the flow does, and its last runs; a run opens on the canvas above.
import { useEffect, useState } from "react";
import { ask } from "./http";
import { openRun } from "./run";
import { store, useEditor } from "./state";

interface Brief {
  id: string;
  status: string;
  trigger: string;
  created: string;
  duration_ms: number;
}

async function recent(): Promise<Brief[]> {
  const { flow, urls } = store.get().data;
  const query = new URLSearchParams({ bundle: flow.bundle, flow: flow.name, limit: "20" });
  return (await ask<{ items: Brief[] }>("GET", `${urls.executions ?? "/api/executions"}?${query}`)).body.items;
}

export function PhoneRuns() {
  const [runs, setRuns] = useState<Brief[] | null>(null);
  const status = useEditor((state) => state.status);
  const open = useEditor((state) => (state.runShown ? state.run?.id : ""));
  useEffect(() => void recent().then(setRuns, () => setRuns([])), []);
  return (
    <section className="ed-phone" aria-label="Runs of the flow">
      <h2>Runs<span className="status" data-status={status}>{status}</span></h2>
      {runs?.length === 0 && <p className="ed-hint">This flow has not run yet.</p>}
      <ol>
        {(runs ?? []).map((run) => (
          <li key={run.id}>
            <button type="button" aria-pressed={run.id === open} onClick={() => void openRun(run.id)}>
              <span className="status" data-status={run.status}>{run.status}</span>
              <span>{run.trigger}</span>
              <time dateTime={run.created}>{new Date(run.created).toLocaleString([], { dateStyle: "short", timeStyle: "medium" })}</time>
            </button>
          </li>
        ))}
      </ol>
      <p className="ed-hint">Editing needs a wider screen.</p>
    </section>
  );
}
