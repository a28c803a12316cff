// Choosing nodes by their names.
import { useMemo } from "react";
import { Icon } from "../icons";
import { useEditor } from "../state";

function useTargets(not = ""): string[] {
  const graph = useEditor((state) => state.graph);
  return useMemo(() => graph.nodes.filter((node) => node.kind !== "trigger" && node.kind !== "note" && node.id !== not).map((node) => node.id), [graph, not]);
}

interface SelectProps {
  id: string;
  value: string;
  not?: string;
  label: string;
  readOnly: boolean;
  onChange: (value: string) => void;
}

export function NodeSelect({ id, value, label, readOnly, onChange }: SelectProps) {
  const targets = useTargets();
  return (
    <select id={id} className="ed-input" aria-label={label} disabled={readOnly} value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">—</option>
      {!targets.includes(value) && value && <option>{value}</option>}
      {targets.map((name) => <option key={name}>{name}</option>)}
    </select>
  );
}

interface NodesProps {
  id: string;
  value: string[];
  label: string;
  readOnly: boolean;
  onChange: (value: string[] | undefined) => void;
}

export function NodesField({ id, value, readOnly, onChange }: NodesProps) {
  const targets = useTargets();
  const rest = targets.filter((name) => !value.includes(name));
  const put = (names: string[]): void => onChange(names.length ? names : undefined);
  return (
    <div className="ed-chips">
      {value.map((name) => (
        <span key={name} className="ed-chip">{name}
          {!readOnly && <button type="button" aria-label={`Remove ${name}`} onClick={() => put(value.filter((one) => one !== name))}><Icon name="close" size={11} /></button>}
        </span>
      ))}
      {!readOnly && <select id={id} className="ed-input" aria-label="Add a node" value="" onChange={(event) => put([...value, event.target.value])}>
        <option value="">Add…</option>
        {rest.map((name) => <option key={name}>{name}</option>)}
      </select>}
    </div>
  );
}
