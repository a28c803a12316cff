// The cases of a conditional: an expression and where it leads, tried from top to bottom.
import { Icon } from "../icons";
import { Expression } from "./Expression";
import { NodeSelect } from "./NodesField";

interface Case {
  if?: unknown;
  to?: unknown;
}

interface Props {
  id: string;
  value: Case[];
  node: string;
  label: string;
  readOnly: boolean;
  onChange: (value: Case[]) => void;
}

export function Cases({ id, value, node, readOnly, onChange }: Props) {
  const put = (index: number, patch: Case): void => onChange(value.map((one, at) => (at === index ? { ...one, ...patch } : one)));
  const swap = (index: number): void => {
    const list = [...value];
    [list[index - 1], list[index]] = [list[index]!, list[index - 1]!];
    onChange(list);
  };
  return (
    <div className="ed-cases">
      {value.map((one, index) => (
        <fieldset key={index}>
          <legend>Case {index}</legend>
          <Expression id={`${id}-${index}`} label={`Condition of case ${index}`} node={node} bare value={String(one?.if ?? "")} hint="payload.total > 100" readOnly={readOnly} onChange={(now) => put(index, { if: now })} />
          <div className="ed-row">
            <NodeSelect id={`${id}-${index}-to`} label={`Target of case ${index}`} value={String(one?.to ?? "")} readOnly={readOnly} onChange={(to) => put(index, { to })} />
            {!readOnly && index > 0 && <button type="button" className="ed-icon-button" aria-label={`Move case ${index} up`} onClick={() => swap(index)}>↑</button>}
            {!readOnly && <button type="button" className="ed-icon-button" aria-label={`Remove case ${index}`} onClick={() => onChange(value.filter((_, at) => at !== index))}><Icon name="trash" size={14} /></button>}
          </div>
        </fieldset>
      ))}
      {!readOnly && <button type="button" id={id} className="ed-add" onClick={() => onChange([...value, { if: "true", to: "" }])}><Icon name="plus" size={14} />Add a case</button>}
    </div>
  );
}
