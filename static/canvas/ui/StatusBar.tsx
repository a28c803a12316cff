// The line at the bottom: minimap, zoom, nodes, problems, the flow's state, and whether all is saved.
import { Icon } from "./icons";
import { allProblems } from "./problems";
import { store, useEditor, type SaveStatus } from "./state";
import { count } from "./words";
import { reveal } from "./select";

const SAVED: Record<SaveStatus, string> = { saved: "Saved", dirty: "Unsaved changes", saving: "Saving…", failed: "Not saved", conflict: "Changed by somebody else" };

export function StatusBar() {
  const nodes = useEditor((state) => state.graph.nodes.length);
  const minimap = useEditor((state) => state.minimap);
  const zoom = useEditor((state) => state.zoom);
  return (
    <footer className="ed-status" aria-label="Status">
      <button type="button" aria-pressed={minimap} onClick={() => store.set({ minimap: !minimap })} title="Minimap (M)"><Icon name="minimap" size={13} />Minimap</button>
      <span className="ed-wide">Zoom {Math.round(zoom * 100)}&thinsp;%</span>
      <span>{count(nodes, "node")}</span>
      <Problems />
      <span className="ed-grow" />
      <FlowStatus />
      <Saved />
    </footer>
  );
}

function Problems() {
  const problems = useEditor(allProblems);
  const errors = problems.filter((problem) => problem.severity === "error").length;
  if (!problems.length) return <span className="ed-fine"><Icon name="check" size={13} />No problems</span>;
  const worst = problems.find((problem) => problem.severity === "error") ?? problems[0]!;
  const text = [errors && count(errors, "error"), problems.length > errors && count(problems.length - errors, "warning")].filter(Boolean).join(", ");
  return (
    <button type="button" className="ed-problem" data-tone={errors ? "error" : "warning"} title={`Line ${worst.line}: ${worst.message}`} onClick={() => reveal(worst)}>
      <Icon name="alert" size={13} />{text}<em>{worst.message}</em>
    </button>
  );
}

function FlowStatus() {
  const status = useEditor((state) => state.status);
  const served = useEditor((state) => (state.served && state.served !== state.revision ? state.served : 0));
  return <span><span className="status" data-status={status}>{status}</span>{status === "running" && served > 0 && <small title="Callers get this revision until you run the newest">live r{served}</small>}</span>;
}

function Saved() {
  const status = useEditor((state) => state.save);
  const revision = useEditor((state) => state.revision);
  return (
    <span className="ed-saved" data-save={status} role="status">
      {status === "saved" && <Icon name="check" size={13} />}
      {SAVED[status]}
      <small>r{revision}</small>
    </span>
  );
}
