// Save, Run, Stop, undo, layout and the switch between the three views.
import { useReactFlow } from "@xyflow/react";
import { Button } from "./Button";
import { redo, tidyUp, undo } from "./edit";
import { runFlow, stopFlow } from "./run";
import { save } from "./save";
import { store, useEditor, type View } from "./state";
import { MOD } from "./keys";
import { show } from "./views";

export function Toolbar() {
  const readOnly = useEditor((state) => state.readOnly);
  return (
    <div className="ed-toolbar" role="toolbar" aria-label="Flow">
      {!readOnly && <Edits />}
      <Runs />
      <span className="ed-grow" />
      <Views />
      <span className="ed-grow" />
      <Zoom />
      <More />
    </div>
  );
}

function Edits() {
  const status = useEditor((state) => state.save);
  const canUndo = useEditor((state) => state.canUndo);
  const canRedo = useEditor((state) => state.canRedo);
  return (
    <div className="ed-group">
      <Button icon="panel" label="Palette" hint="P" pressed={useEditor((state) => state.palette)} onClick={() => store.set({ palette: !store.get().palette })} />
      <Button icon="save" label="Save" hint={`${MOD}S`} text variant="outline" disabled={status === "saving"} onClick={() => void save()} />
      <Button icon="undo" label="Undo" hint={`${MOD}Z`} disabled={!canUndo} onClick={undo} />
      <Button icon="redo" label="Redo" hint={`${MOD}Shift+Z`} disabled={!canRedo} onClick={redo} />
      <Button icon="tidy" label="Tidy" hint="Shift+T" onClick={tidyUp} />
    </div>
  );
}

function Runs() {
  const status = useEditor((state) => state.status);
  const readOnly = useEditor((state) => state.readOnly);
  const may = useEditor((state) => state.data.may_write);
  if (!may) return null;
  return (
    <div className="ed-group">
      {!readOnly && <Button icon="play" label="Run" hint={`${MOD}Enter`} text variant="primary" onClick={() => void runFlow()} />}
      <Button icon="stop" label="Stop" text disabled={status === "stopped"} onClick={() => void stopFlow()} />
    </div>
  );
}

const VIEWS: [View, string][] = [["canvas", "Canvas"], ["yaml", "YAML"], ["split", "Split"]];

function Views() {
  const view = useEditor((state) => state.view);
  const narrow = useEditor((state) => state.narrow);
  return (
    <div className="ed-switch" role="radiogroup" aria-label="View">
      {VIEWS.filter(([id]) => !narrow || id !== "split").map(([id, label], index) => (
        <button key={id} type="button" role="radio" aria-checked={view === id} title={`${label} (${index + 1})`} onClick={() => show(id)}>{label}</button>
      ))}
    </div>
  );
}

function Zoom() {
  const flow = useReactFlow();
  const zoom = useEditor((state) => state.zoom);
  const drawn = useEditor((state) => state.view !== "yaml" && !state.narrow);
  if (!drawn) return null;
  return (
    <div className="ed-group">
      <Button icon="minus" label="Zoom out" hint="-" onClick={() => void flow.zoomOut()} />
      <button type="button" className="ed-zoom" aria-label={`Zoom ${Math.round(zoom * 100)} %, set to 100 %`} title="100 % (0)" onClick={() => void flow.zoomTo(1)}>{Math.round(zoom * 100)}&thinsp;%</button>
      <Button icon="plus" label="Zoom in" hint="+" onClick={() => void flow.zoomIn()} />
      <Button icon="fit" label="Fit the flow" hint="F" onClick={() => void flow.fitView({ padding: 0.15, maxZoom: 1.1 })} />
    </div>
  );
}

function More() {
  return (
    <div className="ed-group">
      <Button icon="webhook" label="Triggers and addresses" hint="W" onClick={() => store.set({ overlay: "webhook" })} />
      <Button icon="history" label="History" hint="H" onClick={() => store.set({ overlay: "history" })} />
      <Button icon="search" label="Commands" hint={`${MOD}K`} onClick={() => store.set({ overlay: "commands" })} />
      <Button icon="keyboard" label="Keys" hint="?" onClick={() => store.set({ overlay: "help" })} />
    </div>
  );
}
