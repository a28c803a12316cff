// Keeps React Flow's nodes and the editor's state in step: what is dragged lives here, what is settled in the state.
import { applyNodeChanges, useReactFlow, type EdgeChange, type NodeChange, type OnNodeDrag } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { placed } from "./places";
import { drawEdges, drawNodes, type AnyNode } from "./picture";
import { move } from "./edit";
import { allProblems } from "./problems";
import { store, useEditor } from "./state";
import { isGroup, withMembers } from "./groups";
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
  const scene = useMemo(() => ({ graph, places, notes: canvas.notes ?? NO_NOTES, pins: canvas.pins ?? NO_NOTES, groups: canvas.groups, problems, selected, text: store.get().text }), [graph, places, canvas, problems, selected]);
  const edges = useMemo(() => (edgesRef.current = drawEdges(graph, places, selectedEdge, edgesRef.current)), [graph, places, selectedEdge]);
  useEffect(() => setNodes((before) => drawNodes(scene, before)), [scene]);
  return { nodes, edges, changeNodes: useNodeChanges(nodes, setNodes), changeEdges, startDrag, stopDrag: useStopDrag() };
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
    const all = [...members.flatMap((id) => flow.getNode(id) ?? []), ...moved.filter((one) => !isGroup(one.id))];
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
