// The words of the graph core: what a flow's text is read into, and what may be asked of it.

export interface Problem {
  severity: "error" | "warning";
  /** Counted from 1. */
  line: number;
  column: number;
  message: string;
  hint: string;
}

export type Kind =
  | "trigger" | "agent" | "llm" | "http" | "code" | "branch" | "loop" | "output" | "join" | "map" | "filter" | "delay"
  | "wait" | "memory" | "sensor" | "flow" | "prompt" | "unbound" | "note";

/** peer | error | case 0… | else | body | done | trigger */
export type Port = string;
export type Range = readonly [start: number, end: number];

export interface GNode {
  /** The name as written; of a trigger that shares it with a listener `trigger:NAME`. */
  id: string;
  name: string;
  kind: Kind;
  label: string;
  handler: string;
  description: string;
  /** The plain values of `with`; of a trigger its own keys (type, cron …); of an agent prompt, model … too. */
  options: Record<string, unknown>;
  /** Everything that is written in it, as plain values; inspectors read `fields.with?.url`, `fields.retries`. */
  fields: Record<string, unknown>;
  disabled: boolean;
  /** From the dash (or the brace) to the end of its last value, in UTF-16 units of the text. */
  range: Range;
  line: number;
  column: number;
  /** Where wires may begin. */
  ports: Port[];
  /** Shown, not editable here: it stands in another file, or the flow is a .pdflow. */
  readOnly: boolean;
}

export interface GEdge {
  id: string;
  source: string;
  sourcePort: Port;
  target: string;
}

/** A wire to a name that nobody has. */
export interface Dangling extends GEdge {
  line: number;
  column: number;
}

export interface Graph {
  dialect: "organism" | "pdflow";
  /** organism.name, or metadata.name of a .pdflow. */
  title: string;
  description: string;
  nodes: GNode[];
  edges: GEdge[];
  dangling: Dangling[];
  problems: Problem[];
  /** The text is no valid YAML (or JSON): keep the last good picture. */
  broken: boolean;
  readOnly: boolean;
  /** Where the text itself says where nodes are (.pdflow). */
  positions: Positions;
}

export interface Point { x: number; y: number }
export type Positions = Record<string, Point>;
export interface Size { width: number; height: number }
/** A node for the layout; its ports are those at the right, with their heights. */
export interface Sized extends Size { ports?: readonly { id: string; y: number }[] }

export interface Note extends Point, Size { text: string; color?: string }

/** A named frame around nodes; collapsed it is one box, and their wires begin and end there. */
export interface Group { name: string; members: string[]; collapsed?: boolean }

/** What the canvas keeps beside the text. */
export interface CanvasState {
  nodes?: Positions;
  notes?: Record<string, Note>;
  groups?: Record<string, Group>;
  pins?: Record<string, unknown>;
}

export interface Wire { source: string; port: Port; target: string }
/** A node that is not there yet. `fields` are plain values by key (`with` included); they add to the kind's template. */
export interface NewNode { kind: Kind; name?: string; handler?: string; fields?: Record<string, unknown> }

export type Op =
  /** `after` is the node below which it is written; `from` is the port it is connected to. */
  | { op: "addNode"; node: NewNode; after?: string; from?: { source: string; port: Port } }
  | { op: "removeNodes"; names: readonly string[] }
  | { op: "renameNode"; name: string; to: string }
  /** `path` in the listener or trigger: "retries", "with.url", ["with", "headers", "x.y"]; undefined removes the key. */
  | { op: "setField"; name: string; path: string | readonly (string | number)[]; value: unknown }
  /** The same for keys of the whole flow: "organism.description", "max_concurrent_handlers". */
  | { op: "setFlow"; path: string | readonly (string | number)[]; value: unknown }
  | { op: "connect"; wire: Wire }
  | { op: "disconnect"; wires: readonly Wire[] }
  /** Moves one end of a wire (or both) and keeps its place in its list. */
  | { op: "reconnect"; wire: Wire; to: Wire }
  /** Puts a node, new or there already, into a wire: source → node → target. */
  | { op: "insertOnEdge"; wire: Wire; node: NewNode | string }
  | { op: "paste"; yaml: string }
  | { op: "duplicate"; names: readonly string[] }
  | { op: "setDisabled"; names: readonly string[]; disabled: boolean }
  /** Several as one; stops at the first that is refused. */
  | { op: "all"; ops: readonly Op[] };

export interface Applied {
  /** Unchanged when the operation was refused. */
  text: string;
  /** Why it was refused (errors), or what the user should know (warnings); not the problems of the flow. */
  problems: Problem[];
  ok: boolean;
  /** Ids of the nodes that came to be, in their order; pasted and copied ones with the name of their model in `from`. */
  created: string[];
  /** old id → new id; positions, notes and selection follow it (see `follow`). */
  renamed: Record<string, string>;
  removed: string[];
  /** new id → id of the node it is a copy of (paste: the name in the pasted text). */
  from: Record<string, string>;
}
