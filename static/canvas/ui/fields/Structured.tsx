// A value that is text with `${…}`, or any structure written as JSON; a switch goes from one to the other.
import { useEffect, useState } from "react";
import type { FieldSpec } from "../data";
import { Expression } from "./Expression";

interface Props {
  id: string;
  spec: FieldSpec;
  value: unknown;
  node: string;
  label: string;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

const LONG = new Set(["with.body", "with.prompt", "with.system", "with.payload", "with.value"]);

function isStructure(value: unknown): boolean {
  return value !== null && typeof value === "object";
}

export function Structured({ id, spec, value, node, label, readOnly, onChange }: Props) {
  const [json, setJson] = useState(isStructure(value));
  const [wrong, setWrong] = useState("");
  useEffect(() => setJson(isStructure(value)), [value]);
  const shown = json ? JSON.stringify(value ?? {}, null, 2) : value === undefined || value === null ? "" : String(value);
  const change = (now: string): void => {
    if (!json) return setWrong(""), onChange(simple(spec, now));
    try {
      onChange(JSON.parse(now));
      setWrong("");
    } catch (problem) {
      setWrong(problem instanceof Error ? problem.message : String(problem));
    }
  };
  const long = spec.long === true || LONG.has(spec.key);
  const either = long && spec.type === "value";
  return (
    <div className="ed-structured">
      <Expression key={String(json)} id={id} label={label} node={node} bare={false} lines={long || json} secrets={spec.secrets} value={shown} hint={spec.default === null ? "" : String(spec.default)} readOnly={readOnly} onChange={change} />
      {either && !readOnly && <button type="button" className="ed-mode" aria-pressed={json} title={json ? "Write it as text" : "Write it as JSON"} onClick={() => setJson(!json)}>{"{ }"}</button>}
      {wrong && <p className="ed-field-problem">{wrong}</p>}
    </div>
  );
}

/** A status that is a figure stays one; everything else is text. */
function simple(spec: FieldSpec, now: string): unknown {
  if (now === "") return undefined;
  return typeof spec.default === "number" && /^\d+$/.test(now) ? Number(now) : now;
}
