// Where a webhook is called, and what it caught while listening for a test.
import { useState } from "react";
import { Button } from "./Button";
import { ask } from "./http";
import { flowUrl } from "./save";
import { say, store, toast, useEditor } from "./state";
import { pretty } from "./words";
import type { FlowBody, TriggerRow } from "./data";

export function TriggerAddress({ name }: { name: string }) {
  const row = useEditor((state) => state.data.flow.triggers.find((one) => one.name === name));
  const readOnly = useEditor((state) => state.readOnly);
  const [listening, setListening] = useState(false);
  if (!row) return <p className="ed-hint">The address is made when the flow is saved.</p>;
  if (row.type !== "webhook") return null;
  return (
    <div className="ed-address">
      <span className="ed-address-title">Address</span>
      <div className="ed-row">
        <input className="ed-input ed-mono" readOnly aria-label="Address of the webhook" value={row.url} onFocus={(event) => event.target.select()} />
        <Button icon="copy" label="Copy the address" onClick={() => void copyText(row.url)} />
        <Button icon="code" label="Copy as curl" onClick={() => void copyText(curl(row))} />
      </div>
      {listening && <p className="ed-hint" role="status">Send a call to <code className="ed-mono">{row.url}/test</code>: it is kept as the sample and starts nothing.</p>}
      {!readOnly && <Button icon="radio" text label={listening ? "Listening…" : "Listen for a test"} variant="outline" pressed={listening} onClick={() => void listen(name, setListening)} />}
      {row.sample !== undefined && row.sample !== null && <details className="ed-more"><summary>Caught sample</summary><pre className="ed-json">{pretty(row.sample)}</pre></details>}
    </div>
  );
}

function curl(row: TriggerRow): string {
  return `curl -H 'Content-Type: application/json' -d '${JSON.stringify(row.sample ?? {}).replaceAll("'", "'\\''")}' ${row.url}`;
}

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
    toast("Copied.");
  } catch {
    toast("The browser does not let this page copy. Select the text and press Ctrl+C.", "error");
  }
}

/** The next call to the test address is caught, not run; its body becomes the trigger's sample. */
async function listen(name: string, told: (on: boolean) => void): Promise<void> {
  told(true);
  try {
    await ask("PUT", `/api/triggers/${store.get().data.flow.id}/${encodeURIComponent(name)}`, { listen: true });
    await caught(name);
  } catch (problem) {
    toast(problem instanceof Error ? problem.message : String(problem), "error");
  }
  told(false);
}

async function caught(name: string): Promise<void> {
  const sampleOf = (body: FlowBody): string => JSON.stringify(body.triggers.find((one) => one.name === name)?.sample ?? null);
  const before = sampleOf(store.get().data.flow);
  for (let second = 0; second < 120; second += 1) {
    await new Promise((done) => setTimeout(done, 1000));
    const { body } = await ask<FlowBody>("GET", flowUrl());
    if (sampleOf(body) === before) continue;
    const { data } = store.get();
    store.set({ data: { ...data, flow: { ...data.flow, triggers: body.triggers } } });
    return toast("A sample was caught.", "success");
  }
}
