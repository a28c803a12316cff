// Whatever is open over the editor; each is loaded when it is first needed.
import { lazy, Suspense } from "react";
import { Boundary } from "./Boundary";
import { useEditor, store, type Overlay } from "./state";

const BOXES = {
  commands: lazy(() => import("./CommandPalette").then((found) => ({ default: found.CommandPalette }))),
  connect: lazy(() => import("./ConnectPicker").then((found) => ({ default: found.ConnectPicker }))),
  help: lazy(() => import("./Help").then((found) => ({ default: found.Help }))),
  run: lazy(() => import("./RunDialog").then((found) => ({ default: found.RunDialog }))),
  history: lazy(() => import("./HistoryDrawer").then((found) => ({ default: found.HistoryDrawer }))),
  conflict: lazy(() => import("./ConflictDialog").then((found) => ({ default: found.ConflictDialog }))),
  webhook: lazy(() => import("./TriggersDialog").then((found) => ({ default: found.TriggersDialog }))),
  code: lazy(() => import("../code/CodeDialog").then((found) => ({ default: found.CodeDialog }))),
  node: lazy(() => import("./NodePanel").then((found) => ({ default: found.NodePanel }))),
} satisfies Record<Exclude<Overlay, "">, unknown>;

export function Overlays() {
  const overlay = useEditor((state) => state.overlay);
  if (!overlay) return null;
  const Box = BOXES[overlay];
  return <Boundary key={overlay} part="This dialog" close={closeOverlay}><Suspense fallback={null}><Box /></Suspense></Boundary>;
}

export function closeOverlay(): void {
  store.set({ overlay: "" });
}
