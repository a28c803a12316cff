// A wire with its arrowhead: curved forwards, around the nodes backwards, dashed where no text draws it.
import { BaseEdge, EdgeLabelRenderer, Position, useStore as useFlow, type Edge, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { backward, downward, forward, laneBelow, leadsBack, type Box, type Ends } from "./route";
import { useEditor } from "./state";

export interface WireData extends Record<string, unknown> {
  port: string;
  /** A loop's body answers back to its loop by itself; the text has no wire for it. */
  implicit: boolean;
}

export type WireType = Edge<WireData, "wire">;
type Lookup = Map<string, { internals: { positionAbsolute: { x: number; y: number } }; measured: { width?: number; height?: number } }>;

function boxes(nodes: Lookup): Box[] {
  return [...nodes.values()].map((node) => ({ ...node.internals.positionAbsolute, width: node.measured.width ?? 0, height: node.measured.height ?? 0 }));
}

interface LineProps {
  id: string;
  tone: string;
  passed: boolean;
  arrow: string;
}

function Back({ ends, ...line }: LineProps & { ends: Ends }) {
  const lane = useFlow((state) => laneBelow(ends, boxes(state.nodeLookup)));
  return <Line {...line} path={backward(ends, lane)} />;
}

function Line({ id, path, tone, passed, arrow }: LineProps & { path: string }) {
  return <BaseEdge id={id} path={path} markerEnd={`url(#arrow-${arrow})`} className={`wire wire-${tone}${passed ? " wire-passed" : ""}`} interactionWidth={18} />;
}

function toneOf(data: WireData | undefined): string {
  return data?.implicit ? "implicit" : data?.port === "error" ? "error" : "plain";
}

export const Wire = memo(function Wire(props: EdgeProps<WireType>) {
  const { id, data, source, target, selected } = props;
  const ends = { sx: props.sourceX, sy: props.sourceY, tx: props.targetX - 1, ty: props.targetY };
  const passed = useEditor((state) => state.wireRuns[`${source}\n${target}`] ?? 0);
  const tone = toneOf(data);
  const line = { id, tone, passed: passed > 0, arrow: selected ? "selected" : passed ? "passed" : tone };
  if (props.sourcePosition === Position.Bottom && ends.tx > ends.sx) return <Line {...line} path={downward(ends)} />;
  if (leadsBack(ends)) return <Back ends={ends} {...line} />;
  return (
    <>
      <Line {...line} path={forward(ends)} />
      {passed > 1 && <Count at={ends} passed={passed} />}
    </>
  );
});

function Count({ at, passed }: { at: Ends; passed: number }) {
  const place = `translate(-50%, -50%) translate(${(at.sx + at.tx) / 2}px, ${(at.sy + at.ty) / 2}px)`;
  return <EdgeLabelRenderer><span className="wire-count" style={{ transform: place }}>{passed}×</span></EdgeLabelRenderer>;
}
