// What the page hands to the editor: the flow as the API tells it, the palette, the last run, addresses.
import type { CanvasState, Point, Note } from "../core";
import type { Problem } from "./http";

export type { CanvasState, Note, Point };

export interface TriggerRow {
  name: string;
  type: string;
  url: string;
  token?: string;
  test_url?: string;
  sample?: unknown;
  enabled?: boolean;
}

export interface FlowBody {
  id: string;
  name: string;
  description: string;
  organism_yaml: string;
  canvas_state: CanvasState | null;
  status: string;
  bundle: string;
  revision: number;
  live_revision?: number | null;
  problems: Problem[];
  triggers: TriggerRow[];
  path?: string;
}

export interface PaletteItem {
  label: string;
  handler: string;
  description: string;
  kind?: string;
}

export type FieldType =
  | "template" | "value" | "text" | "expression" | "node" | "nodes" | "cases" | "map" | "duration" | "integer" | "number"
  | "boolean" | "choice" | "statuses" | "wait" | "cron" | "timezone" | "target";

/** One field of a form, as the server's catalogue of kinds has it; `key` is a path such as `with.url` or `retries`. */
export interface FieldSpec {
  key: string;
  type: FieldType;
  label: string;
  help: string;
  required: boolean;
  default: unknown;
  choices: string[];
  group: string;
  secrets: boolean;
  /** A value of several lines, or JSON. */
  long?: boolean;
}

/** A prompt of the bundle; its parameters as fields of the node that fills it. */
export interface PromptSpec {
  id: string;
  name: string;
  fields: FieldSpec[];
}

export interface KindSpec {
  kind: string;
  title: string;
  description: string;
  group: string;
  handler: string;
  ports: string[];
  fields: FieldSpec[];
  common: FieldSpec[];
}

/** A row of bundles/celdocs.py: what an expression can say. */
export interface FunctionSpec {
  name: string;
  kind: "name" | "macro" | "function" | "method" | "operator";
  signature: string;
  doc: string;
  group: string;
}

export interface EditorData {
  flow: FlowBody;
  palette: { builtin: PaletteItem[]; market: PaletteItem[]; custom: PaletteItem[] };
  catalogue: KindSpec[];
  /** Every key of a flow file and what it means, by the key at the left margin that it stands under. */
  words: Record<string, Record<string, string>>;
  functions?: FunctionSpec[];
  prompts?: PromptSpec[];
  /** Modules of the bundle whose source lies beside them. */
  sources?: string[];
  lastRun: string | null;
  /** The run that the address names. */
  run?: string | null;
  /** The run that it is compared with. */
  beside?: string | null;
  urls: Record<string, string>;
  may_write: boolean;
  may_call?: boolean;
}

export function readData(): EditorData | null {
  const element = document.getElementById("editor-data");
  return element?.textContent ? (JSON.parse(element.textContent) as EditorData) : null;
}
