// The editor's frame: what is shown where, and what listens for the whole of it.
import { ReactFlowProvider } from "@xyflow/react";
import { lazy, Suspense, useEffect } from "react";
import { Boundary } from "./Boundary";
import { Canvas } from "./Canvas";
import { Inspector } from "./Inspector";
import { Overlays } from "./Overlays";
import { Palette } from "./Palette";
import { PhoneRuns } from "./PhoneRuns";
import { RunPanel } from "./RunPanel";
import { StatusBar } from "./StatusBar";
import { Toast } from "./Toast";
import { Toolbar } from "./Toolbar";
import { listenForClipboard } from "./clipboard";
import { listenForKeys } from "./keys";
import { Viewport } from "./viewport";
import { guardUnsaved } from "./save";
import { followWidth } from "./narrow";
import { useEditor } from "./state";

const YamlPane = lazy(() => import("./YamlPane").then((found) => ({ default: found.YamlPane })));

export function App() {
  useEffect(() => {
    guardUnsaved();
    const ends = [listenForKeys(), listenForClipboard(), followWidth()];
    return () => ends.forEach((end) => end());
  }, []);
  return (
    <ReactFlowProvider>
      <div className="flow-editor">
        <Viewport />
        <Toolbar />
        <Body />
        <StatusBar />
        <Overlays />
        <Toast />
        <Said />
      </div>
    </ReactFlowProvider>
  );
}

function Body() {
  const palette = useEditor((state) => state.palette && !state.readOnly && state.view !== "yaml");
  const narrow = useEditor((state) => state.narrow);
  return (
    <div className="ed-body">
      {palette && <Palette />}
      <div className="ed-center">
        <Views />
        <RunPanel />
        {narrow && <PhoneRuns />}
      </div>
      <Inspector />
    </div>
  );
}

function Views() {
  const view = useEditor((state) => state.view);
  return (
    <div className="ed-views">
      {view !== "yaml" && <div className="ed-pane"><Boundary part="The canvas"><Canvas /></Boundary></div>}
      {view !== "canvas" && <div className="ed-pane"><Boundary part="The YAML view"><Suspense fallback={<p className="ed-hint">…</p>}><YamlPane /></Suspense></Boundary></div>}
    </div>
  );
}

function Said() {
  return <p className="ed-hidden" role="log" aria-live="polite">{useEditor((state) => state.said)}</p>;
}
