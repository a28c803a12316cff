// The form of a kind, made from the catalogue; every change is one splice of the text.
import { Fragment, memo, useMemo, useState } from "react";
import type { GNode } from "../core";
import { CodeSource } from "../code/CodeSource";
import { Bound } from "./Bound";
import type { FieldSpec } from "./data";
import { PromptParameters } from "./PromptParameters";
import { valueAt } from "./values";
import { useEditor } from "./state";
import { TriggerAddress } from "./TriggerAddress";

export const Form = memo(function Form({ node }: { node: GNode }) {
  const stale = useEditor((state) => state.stale);
  const readOnly = useEditor((state) => state.readOnly) || node.readOnly;
  const spec = useEditor((state) => state.data.catalogue.find((one) => one.kind === node.kind));
  const raw = node.fields;
  const fields = useMemo(() => (spec ? shownFields(spec.fields, raw) : []), [spec, raw]);
  const name = spec?.common.find((field) => field.key === "name");
  return (
    <form className="ed-form" onSubmit={(event) => event.preventDefault()}>
      {stale && <p className="ed-hint">The text cannot be read; forms wait until it can.</p>}
      {name && <Bound field={name} node={node} raw={raw} readOnly={readOnly || stale} />}
      {!spec && <Bound field={HANDLER} node={node} raw={raw} readOnly={readOnly || stale} />}
      {fields.map((field) => (
        <Fragment key={field.key}>
          <Bound field={field} node={node} raw={raw} readOnly={readOnly || stale} />
          {node.kind === "code" && field.key === "handler" && <CodeSource node={node} readOnly={readOnly || stale} />}
          {node.kind === "prompt" && field.key === "handler" && <PromptParameters node={node} raw={raw} readOnly={readOnly || stale} />}
        </Fragment>
      ))}
      {node.kind === "trigger" && <TriggerAddress name={node.name} />}
      <More node={node} raw={raw} fields={(spec?.common ?? []).filter((field) => field !== name)} readOnly={readOnly || stale} />
    </form>
  );
});

const PLAIN = { required: false, default: null, choices: [], group: "", secrets: false };
const HANDLER: FieldSpec = { ...PLAIN, key: "handler", type: "target", label: "Handler", help: "What the node runs: wasm:MODULE:FUNCTION, flow:NAME, prompt:ID or builtin:KIND" };
const CLASS: FieldSpec = { ...PLAIN, key: "payload_class", type: "text", label: "Payload class", help: "Of other systems' files; kept as it is" };

/** A trigger's form shows what its type needs; fields with a value are always there. */
function shownFields(fields: FieldSpec[], raw: Record<string, unknown>): FieldSpec[] {
  const type = String(raw.type ?? "webhook");
  const only: Record<string, string> = { cron: "schedule", every: "schedule", timezone: "schedule", misfire: "schedule", sensor: "sensor", respond: "webhook", rateLimit: "webhook", hmac: "webhook" };
  return fields.filter((field) => !(field.key in only) || only[field.key] === type || valueAt(raw, field.key) !== undefined);
}

function More({ node, raw, fields, readOnly }: { node: GNode; raw: Record<string, unknown>; fields: FieldSpec[]; readOnly: boolean }) {
  const all = "payload_class" in raw ? [...fields, CLASS] : fields;
  const [open, setOpen] = useState(all.some((field) => field.key !== "description" && field.key !== "peers" && valueAt(raw, field.key) !== undefined));
  if (!all.length) return null;
  return (
    <details className="ed-more" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{node.kind === "trigger" ? "More" : "Description, retries, wires"}</summary>
      {open && all.map((field) => <Bound key={field.key} field={field} node={node} raw={raw} readOnly={readOnly} />)}
    </details>
  );
}
