// A wire with its arrowhead: curved forwards, around the nodes backwards, with the port's name where it starts.
import { BaseEdge, EdgeLabelRenderer, useStore as useFlow, type Edge, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { backward, forward, laneBelow, leadsBack, type Box, type Ends } from "./route";
import { useEditor } from "./state";

export interface WireData extends Record<string, unknown> {
  port: string;
  implicit?: boolean;
}

export type WireType = Edge<WireData, "wire">;

function boxes(nodes: Map<string, { internals: { positionAbsolute: { x: number; y: number } }; measured: { width?: number; height?: number } }>): Box[] {
  return [...nodes.values()].map((node) => ({ ...node.internals.positionAbsolute, width: node.measured.width ?? 0, height: node.measured.height ?? 0 }));
}

function Back({ ends, ...rest }: { ends: Ends } & Parameters<typeof Line>[0]) {
  const lane = useFlow((state) => laneBelow(ends, boxes(state.nodeLookup as never)));
  return <Line {...rest} path={backward(ends, lane)} />;
}

function Line({ id, path, markerEnd, tone }: { id: string; path?: string; markerEnd?: string; tone: string }) {
  return <BaseEdge id={id} path={path ?? ""} markerEnd={markerEnd} className={`wire wire-${tone}`} interactionWidth={18} />;
}

export const Wire = memo(function Wire(props: EdgeProps<WireType>) {
  const { id, data, markerEnd, source, target } = props;
  const ends = { sx: props.sourceX, sy: props.sourceY, tx: props.targetX - 2, ty: props.targetY };
  const passed = useEditor((state) => state.wireRuns[`${source}\n${target}`] ?? 0);
  const tone = [data?.port === "error" ? "error" : data?.implicit ? "implicit" : "plain", passed ? "passed" : ""].filter(Boolean).join(" wire-");
  const line = { id, markerEnd, tone };
  return (
    <>
      {leadsBack(ends) ? <Back ends={ends} {...line} /> : <Line {...line} path={forward(ends)} />}
      {passed > 1 && !leadsBack(ends) && <Count at={ends} passed={passed} />}
    </>
  );
});

function Count({ at, passed }: { at: Ends; passed: number }) {
  const place = `translate(-50%, -50%) translate(${(at.sx + at.tx) / 2}px, ${(at.sy + at.ty) / 2}px)`;
  return <EdgeLabelRenderer><span className="wire-count" style={{ transform: place }}>{passed}×</span></EdgeLabelRenderer>;
}
