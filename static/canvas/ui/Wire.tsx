// A wire with its arrowhead: curved forwards, around the nodes backwards, dashed where no text draws it.
import { BaseEdge, EdgeLabelRenderer, Position, type Edge, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { along, backward, downward, forward, leadsBack, type Ends, type Lane } from "./route";
import { useEditor } from "./state";

export interface WireData extends Record<string, unknown> {
  port: string;
  /** A loop's body answers back to its loop by itself; the text has no wire for it. */
  implicit: boolean;
  /** The free height that the wire takes past the nodes; found by lanes.ts. */
  lane?: Lane;
}

export type WireType = Edge<WireData, "wire">;
interface LineProps {
  id: string;
  tone: string;
  passed: boolean;
  arrow: string;
}

function Line({ id, path, tone, passed, arrow }: LineProps & { path: string }) {
  return <BaseEdge id={id} path={path} markerEnd={`url(#arrow-${arrow})`} className={`wire wire-${tone}${passed ? " wire-passed" : ""}`} interactionWidth={18} />;
}

function toneOf(data: WireData | undefined): string {
  return data?.implicit ? "implicit" : data?.port === "error" ? "error" : "plain";
}

export const Wire = memo(function Wire(props: EdgeProps<WireType>) {
  const { id, data, source, target, selected } = props;
  const ends = { sx: half(props.sourceX), sy: half(props.sourceY), tx: half(props.targetX) - 1, ty: half(props.targetY) };
  const passed = useEditor((state) => state.wireRuns[`${source}\n${target}`] ?? 0);
  const tone = toneOf(data);
  const line = { id, tone, passed: passed > 0, arrow: selected ? "selected" : passed ? "passed" : tone };
  return (
    <>
      <Line {...line} path={pathOf(ends, props.sourcePosition, data?.lane)} />
      {passed > 1 && !leadsBack(ends) && <Count at={ends} passed={passed} />}
    </>
  );
});

/** Ports are measured through the zoom, with what that rounds off; no wire is to be drawn again for it. */
function half(value: number): number {
  return Math.round(value * 2) / 2;
}

function pathOf(ends: Ends, from: Position, lane: Lane | undefined): string {
  if (from === Position.Bottom && ends.tx > ends.sx) return downward(ends, lane);
  if (leadsBack(ends)) return backward(ends, lane?.y);
  return lane ? along(ends, lane) : forward(ends);
}

function Count({ at, passed }: { at: Ends; passed: number }) {
  const place = `translate(-50%, -50%) translate(${(at.sx + at.tx) / 2}px, ${(at.sy + at.ty) / 2}px)`;
  return <EdgeLabelRenderer><span className="wire-count" style={{ transform: place }}>{passed}×</span></EdgeLabelRenderer>;
}
