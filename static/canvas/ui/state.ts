// Everything the editor knows, in one place; parts of it change together or not at all.
import { parse, type Graph } from "../core";
import type { CanvasState, EditorData } from "./data";
import type { Problem } from "./http";
import { Store, useStore } from "./store";

export type View = "canvas" | "yaml" | "split";
export type SaveStatus = "saved" | "dirty" | "saving" | "failed" | "conflict";
export type Overlay = "" | "node" | "commands" | "help" | "run" | "history" | "conflict" | "connect" | "webhook" | "code";

export interface Step {
  node: string;
  kind: string;
  at_us: number;
  duration_us: number;
  units: number;
  attempt: number;
  flow?: string;
  from?: string;
  to?: string[];
  input?: unknown;
  output?: unknown;
  error?: { code?: string; message?: string } | string;
  target?: string;
}

export interface Run {
  id: string;
  status: string;
  steps: Step[];
  live: boolean;
  error: string;
  payload?: unknown;
}

/** What the last run says about one node. */
export interface NodeRun {
  state: "running" | "success" | "failed";
  count: number;
  step: Step;
}

export interface Conflict {
  base: string;
  mine: string;
  theirs: string;
  revision: number;
}

export interface State {
  data: EditorData;
  text: string;
  /** The last text that could be drawn; older than `text` while that is not valid YAML. */
  graph: Graph;
  stale: boolean;
  canvas: CanvasState;
  problems: Problem[];
  told: Problem[];
  savedText: string;
  savedCanvas: string;
  revision: number;
  status: string;
  save: SaveStatus;
  view: View;
  selected: readonly string[];
  selectedEdge: string;
  inspecting: boolean;
  overlay: Overlay;
  palette: boolean;
  minimap: boolean;
  canUndo: boolean;
  canRedo: boolean;
  zoom: number;
  said: string;
  toast: { text: string; kind: "success" | "error" | "info"; at: number } | null;
  /** Test inputs by node, written by hand. */
  inputs: Readonly<Record<string, unknown>>;
  /** The revision that answers callers. */
  served: number;
  run: Run | null;
  /** Whether the run lies open on the canvas, or is only remembered for the forms. */
  runShown: boolean;
  nodeRuns: Readonly<Record<string, NodeRun>>;
  /** How often a message passed from one node to another; the key is both names with a line break between. */
  wireRuns: Readonly<Record<string, number>>;
  /** Nodes that did something else in the run beside, by their folded names; null while none is compared. */
  differs: ReadonlySet<string> | null;
  conflict: Conflict | null;
  readOnly: boolean;
  /** A phone: the flow is read, its runs are watched. */
  narrow: boolean;
}

export type EditorStore = Store<State>;
export const NARROW = "(max-width: 767px)";

export function canvasText(canvas: CanvasState): string {
  return JSON.stringify(canvas);
}

function begin(data: EditorData): State {
  const text = data.flow.organism_yaml;
  const graph = parse(text);
  const canvas = data.flow.canvas_state ?? {};
  return {
    data, text, graph, canvas, stale: false, problems: graph.problems, told: data.flow.problems ?? [],
    savedText: text, savedCanvas: canvasText(canvas), revision: data.flow.revision, status: data.flow.status, save: "saved",
    view: "canvas", selected: [], selectedEdge: "", inspecting: false, overlay: "", palette: true, minimap: false,
    canUndo: false, canRedo: false, zoom: 1, said: "", toast: null, inputs: {}, served: data.flow.live_revision ?? 0, run: null, runShown: false, nodeRuns: {}, wireRuns: {}, differs: null, conflict: null,
    readOnly: !data.may_write || matchMedia(NARROW).matches, narrow: matchMedia(NARROW).matches,
  };
}

export let store: EditorStore;

export function start(data: EditorData): void {
  store = new Store(begin(data));
}

export function useEditor<R>(pick: (state: State) => R): R {
  return useStore(store, pick);
}

/** Told to screen readers through the live region. */
export function say(text: string): void {
  store.set({ said: text === store.get().said ? `${text} ` : text });
}

export function toast(text: string, kind: "success" | "error" | "info" = "info"): void {
  store.set({ toast: { text, kind, at: Date.now() } });
}
