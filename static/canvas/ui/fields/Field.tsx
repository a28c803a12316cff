// One field of a form, by the type that the catalogue gives it.
import { memo, useId } from "react";
import type { FieldSpec } from "../data";
import { Cases } from "./Cases";
import { Expression } from "./Expression";
import { MapField } from "./MapField";
import { NodeSelect, NodesField } from "./NodesField";
import { Structured } from "./Structured";
import { Target } from "./Target";
import { Typed } from "./Typed";

export interface FieldProps {
  spec: FieldSpec;
  value: unknown;
  node: string;
  readOnly: boolean;
  problem?: string;
  onChange: (value: unknown) => void;
}

export const Field = memo(function Field(props: FieldProps) {
  const id = useId();
  const { spec, problem } = props;
  return (
    <div className="ed-field" data-type={spec.type} data-problem={problem ? true : undefined} data-field={spec.key}>
      <label htmlFor={id}>{spec.label}{spec.required && <span aria-hidden="true" className="ed-must">*</span>}</label>
      <Input {...props} id={id} />
      <p className="ed-hint">{problem ? <span role="alert" className="ed-field-problem">{problem}</span> : spec.help}</p>
    </div>
  );
});

function Input({ id, spec, value, node, readOnly, onChange }: FieldProps & { id: string }) {
  const common = { id, readOnly, label: spec.label };
  switch (spec.type) {
    case "expression":
      return <Expression {...common} node={node} bare lines={spec.key === "with.expr"} value={text(value)} onChange={(now) => onChange(now || undefined)} />;
    case "template":
    case "value":
      return <Structured {...common} spec={spec} node={node} value={value} onChange={onChange} />;
    case "node":
      return <NodeSelect {...common} value={text(value)} not={node} onChange={(now) => onChange(now || undefined)} />;
    case "nodes":
      return <NodesField {...common} value={Array.isArray(value) ? value.map(String) : []} onChange={onChange} />;
    case "cases":
      return <Cases {...common} node={node} value={Array.isArray(value) ? (value as never) : []} onChange={onChange} />;
    case "map":
      return <MapField {...common} node={node} secrets={spec.secrets} value={value} onChange={onChange} />;
    case "target":
      return <Target {...common} value={text(value)} onChange={onChange} />;
    default:
      return <Typed {...common} spec={spec} value={value} onChange={onChange} />;
  }
}

export function text(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
