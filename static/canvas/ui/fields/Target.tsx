// What a node runs: a function of a module, a flow or a prompt; known ones are offered.
import { useEffect, useMemo, useState } from "react";
import { useEditor } from "../state";

interface Props {
  id: string;
  value: string;
  label: string;
  readOnly: boolean;
  onChange: (value: string) => void;
}

export function Target({ id, value, readOnly, onChange }: Props) {
  const palette = useEditor((state) => state.data.palette);
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const scheme = value.split(":")[0] ?? "";
  const known = useMemo(() => [...palette.custom, ...palette.market].map((item) => item.handler).filter((one) => one.startsWith(`${scheme}:`)), [palette, scheme]);
  const commit = (): void => {
    if (draft && draft !== value) onChange(draft.trim());
  };
  if (scheme === "prompt" && known.length) return <Choice id={id} value={value} known={known} readOnly={readOnly} onChange={onChange} />;
  return (
    <>
      <input id={id} className="ed-input ed-mono" list={`${id}-known`} value={draft} readOnly={readOnly} spellCheck={false} onChange={(event) => setDraft(event.target.value)} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />
      <datalist id={`${id}-known`}>{known.map((one) => <option key={one} value={one} />)}</datalist>
    </>
  );
}

/** A bundle has few prompts, and a node needs one of them. */
function Choice({ id, value, known, readOnly, onChange }: Omit<Props, "label"> & { known: string[] }) {
  return (
    <select id={id} className="ed-input ed-mono" disabled={readOnly} value={value} onChange={(event) => onChange(event.target.value)}>
      {!known.includes(value) && <option value={value}>{value === "prompt:ID" ? "Choose a prompt…" : `${value} (not here)`}</option>}
      {known.map((one) => <option key={one} value={one}>{one.slice(7)}</option>)}
    </select>
  );
}
