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
  const scheme = schemeOf(value);
  const known = useMemo(() => [...palette.custom, ...palette.market].map((item) => item.handler).filter((one) => one.startsWith(`${scheme}:`)), [palette, scheme]);
  const commit = (): void => {
    if (draft && draft !== value) onChange(draft.trim());
  };
  if ((scheme === "prompt" || scheme === "wasm") && known.length) return <Choice id={id} value={value} known={known} readOnly={readOnly} onChange={onChange} />;
  return (
    <>
      <input id={id} className="ed-input ed-mono" list={`${id}-known`} value={draft} readOnly={readOnly} spellCheck={false} onChange={(event) => setDraft(event.target.value)} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />
      <datalist id={`${id}-known`}>{known.map((one) => <option key={one} value={one} />)}</datalist>
      {scheme === "wasm" && <WhereFrom />}
    </>
  );
}

/** A code block that has no function yet will have one of a module. */
function schemeOf(value: string): string {
  return value === "builtin:code" ? "wasm" : (value.split(":")[0] ?? "");
}

/** The functions of a module are found when it is uploaded; this page knows them once it is opened again. */
function WhereFrom() {
  return <p className="ed-hint">No function is here yet: write one below, or <a href="/modules" target="_blank" rel="noopener">upload a WebAssembly module</a> and open this page again. <a href="/docs/wasm" target="_blank" rel="noopener">How to write one</a></p>;
}

/** There are few, and a node needs one of them. */
function Choice({ id, value, known, readOnly, onChange }: Omit<Props, "label"> & { known: string[] }) {
  const scheme = schemeOf(value);
  return (
    <select id={id} className="ed-input ed-mono" disabled={readOnly} value={value} onChange={(event) => onChange(event.target.value)}>
      {!known.includes(value) && <option value={value}>{/:[A-Z]+$|^builtin:code$/.test(value) ? `Choose a ${scheme === "wasm" ? "function" : scheme}…` : `${value} (not here)`}</option>}
      {known.map((one) => <option key={one} value={one}>{one.slice(scheme.length + 1)}</option>)}
    </select>
  );
}
