// Plain inputs: text, figures, choices, switches, durations; a value is only written when it makes sense.
import { useEffect, useState, type KeyboardEvent } from "react";
import type { FieldSpec } from "../data";

interface Props {
  id: string;
  spec: FieldSpec;
  value: unknown;
  label: string;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

const LONG = new Set(["prompt", "description"]);
const ZONES = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Tokyo", "Australia/Sydney"];

export function Typed(props: Props) {
  const { spec, value, id, readOnly, onChange } = props;
  if (spec.type === "boolean") return <input id={id} type="checkbox" role="switch" className="ed-switch-input" disabled={readOnly} checked={value === undefined ? spec.default === true : value === true} onChange={(event) => onChange(event.target.checked === (spec.default === true) ? undefined : event.target.checked)} />;
  if (spec.type === "choice") return <Choice {...props} />;
  return <Written {...props} />;
}

function Choice({ id, spec, value, readOnly, onChange }: Props) {
  return (
    <select id={id} className="ed-input" disabled={readOnly} value={String(value ?? spec.default ?? "")} onChange={(event) => onChange(event.target.value)}>
      {spec.choices.map((choice) => <option key={choice}>{choice}</option>)}
    </select>
  );
}

/** Written down when the field is left or Enter is pressed, as one step of the history. */
function Written({ id, spec, value, readOnly, onChange }: Props) {
  const shown = Array.isArray(value) ? value.join(", ") : value === undefined || value === null ? "" : String(value);
  const [draft, setDraft] = useState(shown);
  useEffect(() => setDraft(shown), [shown]);
  const commit = (): void => {
    if (draft !== shown) onChange(read(spec, draft));
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !LONG.has(spec.key)) commit();
    if (event.key === "Escape") setDraft(shown);
  };
  const common = { id, className: "ed-input", value: draft, readOnly, placeholder: hint(spec), onBlur: commit, onKeyDown: keys, onChange: (event: { target: { value: string } }) => setDraft(event.target.value) };
  if (LONG.has(spec.key)) return <textarea {...common} rows={spec.key === "prompt" ? 6 : 2} />;
  return (
    <>
      <input {...common} inputMode={spec.type === "integer" ? "numeric" : undefined} list={spec.type === "timezone" ? `${id}-zones` : undefined} autoComplete="off" spellCheck={false} />
      {spec.type === "timezone" && <datalist id={`${id}-zones`}>{ZONES.map((zone) => <option key={zone} value={zone} />)}</datalist>}
    </>
  );
}

function hint(spec: FieldSpec): string {
  if (spec.type === "cron") return "0 2 * * *";
  const value = Array.isArray(spec.default) ? spec.default.join(", ") : spec.default;
  return value === null || value === undefined || value === "" ? (spec.type === "duration" ? "10s" : "") : String(value);
}

/** What was typed, as the file should hold it; figures that are none stay text, and the problem list says so. */
export function read(spec: FieldSpec, draft: string): unknown {
  const trimmed = draft.trim();
  if (!trimmed) return undefined;
  if ((spec.type === "integer" || spec.type === "number" || spec.type === "wait") && Number.isFinite(Number(trimmed))) return Number(trimmed);
  if (spec.type === "statuses") return trimmed.split(/[\s,]+/).map((one) => (/^\d+$/.test(one) ? Number(one) : one));
  return LONG.has(spec.key) ? draft : trimmed;
}
