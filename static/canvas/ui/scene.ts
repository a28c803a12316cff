// Keeps React Flow's nodes and the editor's state in step: what is dragged lives here, what is settled in the state.
import { applyNodeChanges, useReactFlow, type EdgeChange, type NodeChange, type OnNodeDrag } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { folded, GROUP, type CanvasState, type Graph } from "../core";
import type { Point } from "./data";
import { framesOf, placed } from "./places";
import { drawEdges, drawNodes, type AnyNode } from "./picture";
import { move } from "./edit";
import { allProblems } from "./problems";
import { store, useEditor } from "./state";
import { withMembers } from "./groups";
import { edgeUnder, insertNode } from "./wiring";
import type { WireType } from "./Wire";

const NO_NOTES = {};

export function useScene() {
  const graph = useEditor((state) => state.graph);
  const canvas = useEditor((state) => state.canvas);
  const selected = useEditor((state) => state.selected);
  const selectedEdge = useEditor((state) => state.selectedEdge);
  const problems = useEditor(allProblems);
  const places = useMemo(() => placed(graph, canvas), [graph, canvas]);
  const [nodes, setNodes] = useState<AnyNode[]>([]);
  const edgesRef = useRef<WireType[]>([]);
  const drawn = useMemo(() => fold(graph, canvas, places), [graph, canvas.groups, places]);
  const scene = useMemo(() => ({ ...drawn, notes: canvas.notes ?? NO_NOTES, pins: canvas.pins ?? NO_NOTES, problems, selected, text: store.get().text }), [drawn, canvas, problems, selected]);
  const edges = useMemo(() => (edgesRef.current = drawEdges(drawn.graph, drawn.places, selectedEdge, edgesRef.current)), [drawn, selectedEdge]);
  useEffect(() => setNodes((before) => drawNodes(scene, before)), [scene]);
  return { nodes, edges, changeNodes: useNodeChanges(nodes, setNodes), changeEdges, startDrag, stopDrag: useStopDrag() };
}

/** What is drawn: collapsed groups in place of their members. */
function fold(graph: Graph, canvas: CanvasState, places: Record<string, Point>) {
  const frames = framesOf(graph, canvas);
  const boxes = frames.filter((frame) => frame.collapsed).map(({ id, x, y }) => [GROUP + id, { x, y }] as const);
  return { graph: folded(graph, frames), frames, places: boxes.length ? { ...places, ...Object.fromEntries(boxes) } : places };
}

function useNodeChanges(nodes: readonly AnyNode[], setNodes: (change: (before: AnyNode[]) => AnyNode[]) => void) {
  const now = useRef(nodes);
  now.current = nodes;
  return useCallback((told: NodeChange<AnyNode>[]) => {
    const changes = withMembers(told, now.current);
    const felt = changes.filter((change) => change.type === "position" || change.type === "dimensions");
    if (felt.length) setNodes((before) => applyNodeChanges(felt, before));
    chosen(changes);
    byArrowKeys(changes);
  }, [setNodes]);
}

function chosen(changes: NodeChange<AnyNode>[]): void {
  const selects = changes.filter((change) => change.type === "select");
  if (!selects.length) return;
  const now = new Set(store.get().selected);
  for (const change of selects) {
    if (change.selected) now.add(change.id);
    else now.delete(change.id);
  }
  const selected = [...now];
  store.set({ selected, selectedEdge: selected.length ? "" : store.get().selectedEdge });
}

/** Arrow keys move without dragging; each press is one step of the history, joined with its neighbours. */
function byArrowKeys(changes: NodeChange<AnyNode>[]): void {
  const places: Record<string, { x: number; y: number }> = {};
  for (const change of changes) {
    if (change.type === "position" && change.dragging === false && change.position) places[change.id] = change.position;
  }
  if (Object.keys(places).length && !dragging) move(places, "arrows");
}

let dragging = false;

function startDrag(): void {
  dragging = true;
}

function useStopDrag(): OnNodeDrag<AnyNode> {
  const flow = useReactFlow();
  return useCallback((event, node, moved) => {
    dragging = false;
    const wire = moved.length === 1 && node.type === "flow" ? edgeUnder(event as MouseEvent, node.id) : "";
    const members = moved.flatMap((one) => (one.type === "frame" ? one.data.frame.members : []));
    const all = [...members.flatMap((id) => flow.getNode(id) ?? []), ...moved];
    move(Object.fromEntries(all.map((one) => [one.id, one.position])));
    if (wire && !flow.getNodeConnections({ nodeId: node.id }).length) insertNode(node.id, wire);
  }, [flow]);
}

function changeEdges(changes: EdgeChange<WireType>[]): void {
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) store.set({ selectedEdge: change.id, inspecting: false });
    else if (store.get().selectedEdge === change.id) store.set({ selectedEdge: "" });
  }
}
