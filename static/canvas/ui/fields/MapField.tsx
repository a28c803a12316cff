// Names with values, such as headers.
import { useState } from "react";
import { Icon } from "../icons";
import { Expression } from "./Expression";
import { text } from "./Field";

interface Props {
  id: string;
  value: unknown;
  node: string;
  label: string;
  secrets: boolean;
  readOnly: boolean;
  onChange: (value: Record<string, unknown> | undefined) => void;
}

export function MapField({ id, value, node, label, secrets, readOnly, onChange }: Props) {
  const entries = value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value as Record<string, unknown>) : [];
  const put = (list: [string, unknown][]): void => onChange(list.length ? Object.fromEntries(list) : undefined);
  return (
    <div className="ed-map">
      {entries.map(([name, one], index) => (
        <div key={name} className="ed-row">
          <input className="ed-input" aria-label={`Name ${index + 1} of ${label}`} defaultValue={name} readOnly={readOnly} onBlur={(event) => event.target.value && event.target.value !== name && put(entries.map((entry, at) => (at === index ? [event.target.value, entry[1]] : entry)))} />
          <Expression id={`${id}-${index}`} label={`Value of ${name}`} node={node} bare={false} secrets={secrets} value={text(one)} readOnly={readOnly} onChange={(now) => put(entries.map((entry, at) => (at === index ? [entry[0], now] : entry)))} />
          {!readOnly && <button type="button" className="ed-icon-button" aria-label={`Remove ${name}`} onClick={() => put(entries.filter((_, at) => at !== index))}><Icon name="trash" size={14} /></button>}
        </div>
      ))}
      {!readOnly && <NewEntry id={id} label={label} taken={entries.map(([name]) => name)} add={(name) => put([...entries, [name, ""]])} />}
    </div>
  );
}

function NewEntry({ id, label, taken, add }: { id: string; label: string; taken: string[]; add: (name: string) => void }) {
  const [name, setName] = useState("");
  const commit = (): void => {
    if (name && !taken.includes(name)) add(name);
    setName("");
  };
  return <input id={id} className="ed-input" aria-label={`New name in ${label}`} placeholder="Add a name…" value={name} onChange={(event) => setName(event.target.value)} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />;
}
