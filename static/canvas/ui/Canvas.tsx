// The drawing surface: React Flow with our nodes, wires, drops and keys.
import { ConnectionMode, MiniMap, ReactFlow, SelectionMode, type NodeTypes, type EdgeTypes, type OnMove } from "@xyflow/react";
import { useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type RefObject } from "react";
import { Widened } from "./around";
import { Dots } from "./Dots";
import { FlowNode, type FlowNodeType } from "./FlowNode";
import { GroupNode, type GroupNodeType } from "./GroupNode";
import { Markers } from "./Markers";
import { NoteNode } from "./NoteNode";
import { useDrops } from "./drops";
import { firstLook, resized, type Look } from "./firstview";
import { onCanvasFocus, onCanvasKey, onCanvasPointer } from "./keys";
import { useScene } from "./scene";
import { useEditor, store } from "./state";
import { connectEnds, reconnectEnds, sensible } from "./wiring";
import { Wire } from "./Wire";

const NODES: NodeTypes = { flow: FlowNode, note: NoteNode, frame: GroupNode };
const EDGES: EdgeTypes = { wire: Wire };
const SNAP: [number, number] = [8, 8];
const TOUCH = matchMedia("(pointer: coarse)").matches;
const PRO = { hideAttribution: true };

export function Canvas() {
  const { nodes, edges, changeNodes, changeEdges, startDrag, stopDrag } = useScene();
  const readOnly = useEditor((state) => state.readOnly);
  const stale = useEditor((state) => state.stale);
  const thick = useEditor((state) => thickness(state.zoom));
  const drops = useDrops();
  const dark = useDark();
  const place = useRef<HTMLDivElement>(null);
  const look = useFirstLook(place);
  return (
    <div ref={place} className="ed-canvas" data-far={thick > 0 || undefined} data-tiny={thick > TINY || undefined} style={thick ? THICK[thick] : undefined} data-stale={stale || undefined} onKeyDownCapture={onCanvasKey} onFocus={onCanvasFocus} onPointerDownCapture={onCanvasPointer} {...drops}>
      {look && <ReactFlow
        nodes={nodes} edges={edges} nodeTypes={NODES} edgeTypes={EDGES} colorMode={dark ? "dark" : "light"}
        onNodesChange={changeNodes} onEdgesChange={changeEdges} onNodeDragStart={startDrag} onNodeDragStop={stopDrag}
        onConnect={connectEnds} onReconnect={reconnectEnds} isValidConnection={sensible} connectionMode={ConnectionMode.Strict} connectionRadius={28}
        onNodeDoubleClick={open} onNodeClick={inspect} onPaneClick={leave} onMove={moved} onMoveStart={moving}
        nodesDraggable={!readOnly} nodesConnectable={!readOnly} edgesReconnectable={!readOnly} deleteKeyCode={null}
        selectionOnDrag={!TOUCH} panOnDrag={TOUCH || [1, 2]} panActivationKeyCode="Space" panOnScroll zoomOnDoubleClick={false} selectionMode={SelectionMode.Partial} multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        snapToGrid snapGrid={SNAP} minZoom={0.04} maxZoom={2.5} defaultViewport={look} onlyRenderVisibleElements elevateNodesOnSelect={false} proOptions={PRO}
        aria-label="Canvas of the flow"
      >
        <Markers />
        <Dots />
        <Mini />
        <Refit />
        <Widened />
      </ReactFlow>}
      {stale && <p className="ed-stale" role="status">The YAML cannot be read right now. This is the last good picture.</p>}
      {nodes.length === 0 && !stale && <Empty />}
    </div>
  );
}

/** Found before the first picture, so that nothing is drawn twice. */
function useFirstLook(place: RefObject<HTMLDivElement | null>): Look | null {
  const [look, setLook] = useState<Look | null>(null);
  useLayoutEffect(() => {
    if (!place.current) return;
    const found = firstLook(place.current.getBoundingClientRect());
    store.set({ zoom: found.zoom });
    setLook(found);
  }, [place]);
  return look;
}

/** From afar wires are drawn thicker, in few steps, so that they do not fade away; 0 is from near. */
function thickness(zoom: number): number {
  return zoom < 0.45 ? Math.min(8, Math.ceil(-2 * Math.log2(zoom)) - 2) : 0;
}

const TINY = 2;
const THICK = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((step) => ({ "--wire-width": `${(1.6 * 2 ** (step / 2)).toFixed(1)}px` }) as CSSProperties);

const moved: OnMove = (_, view) => {
  moving();
  if (view.zoom !== store.get().zoom) store.set({ zoom: view.zoom });
};

const REST_MS = 300;
let resting = 0;

/** While it moves, and a moment longer, the picture is one layer (nodes.css); only the browser's own attribute, so that nothing is rendered for it. */
function moving(): void {
  clearTimeout(resting);
  resting = window.setTimeout(() => canvas()?.removeAttribute("data-moving"), REST_MS);
  canvas()?.setAttribute("data-moving", "");
}

function canvas(): HTMLElement | null {
  return document.querySelector<HTMLElement>(".ed-canvas");
}

function inspect(event: { shiftKey?: boolean; metaKey?: boolean; ctrlKey?: boolean }, node: { id: string; type?: string }): void {
  if (event.shiftKey || event.metaKey || event.ctrlKey || node.type !== "flow") return;
  store.set({ inspecting: true });
}

/** Twice: everything about the node, side by side. */
function open(_: unknown, node: { id: string; type?: string }): void {
  if (node.type === "flow") store.set({ selected: [node.id], overlay: "node" });
}

function leave(): void {
  store.set({ inspecting: false });
}

/** The canvas changes its size with every panel that opens; what the reader works at must not leave it. */
function Refit(): null {
  const view = useEditor((state) => state.view);
  const shown = useRef(view);
  useEffect(() => {
    const place = canvas();
    if (!place) return;
    let seen = "";
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      const size = `${width} ${height}`;
      if (seen && size !== seen) requestAnimationFrame(() => resized({ width, height }, shown.current !== (shown.current = store.get().view)));
      seen = size;
    });
    watch.observe(place);
    return () => watch.disconnect();
  }, []);
  return null;
}

function Mini() {
  const shown = useEditor((state) => state.minimap);
  return shown ? <MiniMap className="ed-minimap" pannable zoomable ariaLabel="Minimap" nodeColor={miniColor} nodeBorderRadius={8} /> : null;
}

function miniColor(node: { data: unknown; type?: string }): string {
  if (node.type === "frame") return (node as unknown as GroupNodeType).data.frame.collapsed ? "var(--mini-node)" : "transparent";
  return (node as FlowNodeType).data?.node?.kind === "trigger" ? "var(--tone-green)" : "var(--mini-node)";
}

function Empty() {
  return (
    <div className="ed-empty">
      <strong>An empty flow</strong>
      <p>Drag a trigger from the palette, or press <kbd className="kbd">/</kbd> and type what you need.</p>
    </div>
  );
}

/** Follows the class that the page's theme switch sets. */
function useDark(): boolean {
  const [dark, setDark] = useState(() => document.documentElement.classList.contains("dark"));
  useEffect(() => {
    const watch = new MutationObserver(() => setDark(document.documentElement.classList.contains("dark")));
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => watch.disconnect();
  }, []);
  return dark;
}
