// In a code node's form: where its function comes from, and the way to its source.
import { useEffect, useState } from "react";
import type { GNode } from "../core";
import { Button } from "../ui/Button";
import { store, useEditor } from "../ui/state";
import { hasSource, moduleOf, stored } from "./stored";

export function CodeSource({ node, readOnly }: { node: GNode; readOnly: boolean }) {
  const { module } = moduleOf(node);
  const known = useEditor((state) => Boolean(module) && (state.data.sources ?? []).includes(module));
  const revision = useEditor((state) => state.revision);
  const note = useNote(known ? module : "", revision);
  const open = (): void => store.set({ overlay: "code" });
  if (module && !known) return null;
  if (!module && readOnly) return null;
  return (
    <div className="ed-code-source">
      <Button icon="code" text label={module ? (readOnly ? "Read the source" : "Edit the source") : "Write it here"} variant={module ? "outline" : "primary"} onClick={open} />
      {note ? <p className="ed-hint" role="status"><span className="ed-field-problem">{note}</span></p> : <p className="ed-hint">{module ? `wasm/${module}.ts` : "In AssemblyScript, compiled in this browser."}</p>}
    </div>
  );
}

/** The source may have been changed elsewhere, on the page of files or by Git. */
function useNote(module: string, revision: number): string {
  const [note, setNote] = useState("");
  useEffect(() => {
    let gone = false;
    setNote("");
    if (hasSource(module)) stored(module).then(({ module: is }) => !gone && setNote(is === "older" ? `The module is older than its source: wasm/${module}.ts was changed after wasm/${module}.wasm was built. Open it and build it again.` : ""), (why: Error) => !gone && setNote(why.message));
    return () => void (gone = true);
  }, [module, revision]);
  return note;
}
