// One node on the canvas: its shape by kind, ports with labels, problems and what the last run did.
import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { memo, useMemo } from "react";
import type { GNode } from "../core";
import { Icon } from "./icons";
import { hasError, hasInput, shapeOf, TITLES, type Port } from "./shape";
import { useEditor, type NodeRun } from "./state";
import { duration } from "./words";

export interface NodeData extends Record<string, unknown> {
  node: GNode;
  ports: Port[];
  worst: "" | "error" | "warning";
  pinned: boolean;
}

export type FlowNodeType = Node<NodeData, "flow">;

export const FlowNode = memo(function FlowNode({ data, selected }: NodeProps<FlowNodeType>) {
  const { node, ports, worst, pinned } = data;
  const run = useEditor((state) => state.nodeRuns[node.id]);
  const differs = useEditor((state) => state.differs?.has(node.id.toLowerCase()) ?? false);
  const shape = useMemo(() => shapeOf(node), [node]);
  const round = node.kind === "trigger";
  return (
    <div className={round ? "nd nd-round" : "nd"} data-kind={node.kind} data-tone={toneOf(node.kind)} data-selected={selected || undefined} data-disabled={node.disabled || undefined} data-run={run?.state} data-problem={worst || undefined} data-differs={differs || undefined} style={{ width: shape.width, height: shape.height }}>
      {hasInput(node) && <Handle type="target" position={Position.Left} id="in" className="nd-port nd-in" style={{ top: 26 }} />}
      {round ? <Round node={node} /> : <Card node={node} run={run} worst={worst} pinned={pinned} />}
      {ports.map((port) => <Out key={port.id} port={port} />)}
      {hasError(node) && <Handle type="source" position={Position.Bottom} id="error" className="nd-port nd-error" title="error" />}
      {round && <Badges run={run} worst={worst} pinned={pinned} />}
    </div>
  );
});

export function iconOf(node: GNode): string {
  return node.kind === "trigger" ? String(node.options.type ?? "webhook") : node.kind;
}

export function toneOf(kind: string): string {
  if (kind === "trigger" || kind === "sensor") return "green";
  if (kind === "agent" || kind === "llm" || kind === "prompt") return "violet";
  if (["branch", "loop", "join", "filter", "map"].includes(kind)) return "amber";
  if (["http", "flow", "memory"].includes(kind)) return "blue";
  if (kind === "output") return "teal";
  return kind === "unbound" ? "red" : "slate";
}

function Round({ node }: { node: GNode }) {
  return (
    <>
      <span className="nd-icon"><Icon name={iconOf(node)} size={24} /></span>
      <span className="nd-caption"><strong>{node.label}</strong><small>{String(node.options.type ?? "webhook")}</small></span>
    </>
  );
}

function Card({ node, run, worst, pinned }: { node: GNode; run?: NodeRun; worst: NodeData["worst"]; pinned: boolean }) {
  return (
    <div className="nd-head">
      <span className="nd-icon"><Icon name={iconOf(node)} size={18} /></span>
      <span className="nd-words"><strong>{node.label}</strong><small>{subtitle(node)}</small></span>
      <Badges run={run} worst={worst} pinned={pinned} />
    </div>
  );
}

export function subtitle(node: GNode): string {
  const title = TITLES[node.kind] ?? node.kind;
  if (node.kind === "http") return [node.options.method ?? "GET", node.options.url ?? ""].join(" ").trim();
  if (node.kind === "output") return node.options.status ? `${title} ${String(node.options.status)}` : title;
  if (node.kind === "agent") return node.handler || "Agent";
  return node.handler && !node.handler.startsWith("builtin:") ? node.handler : detail(node) || title;
}

function detail(node: GNode): string {
  const key = { loop: "over", filter: "if", map: "expr", delay: "for", join: "wait", memory: "get", sensor: "fire" }[node.kind as string];
  const value = key ? (node.options[key] ?? node.options.while ?? "") : "";
  return value === "" || typeof value === "object" ? "" : `${TITLES[node.kind] ?? ""} · ${String(value)}`;
}

function Badges({ run, worst, pinned }: { run?: NodeRun; worst: NodeData["worst"]; pinned: boolean }) {
  return (
    <span className="nd-badges">
      {pinned && <span className="nd-badge" title="Test data is pinned"><Icon name="pin" size={12} /></span>}
      {worst && <span className="nd-badge" data-tone={worst} title={worst === "error" ? "Has an error" : "Has a warning"}><Icon name="alert" size={13} /></span>}
      {run && <span className="nd-badge nd-ran" data-tone={run.state} title={ranTitle(run)}>{run.count > 1 ? `${run.count}×` : <Icon name={RAN[run.state]} size={12} />}</span>}
    </span>
  );
}

const RAN = { running: "dots", failed: "close", success: "check" };

function ranTitle(run: NodeRun): string {
  if (run.state === "running") return "Running";
  return `${run.state === "failed" ? "Failed" : "Ran"} ${run.count > 1 ? `${run.count} times, last` : ""} in ${duration(run.step.duration_us)}`;
}

function Out({ port }: { port: Port }) {
  return (
    <>
      {port.label && <span className="nd-label" data-tone={port.tone} style={{ top: port.y - 10 }} title={port.label}>{port.label}</span>}
      <Handle type="source" position={Position.Right} id={port.id} className="nd-port nd-out" style={{ top: port.y }} title={port.label || undefined} />
    </>
  );
}
