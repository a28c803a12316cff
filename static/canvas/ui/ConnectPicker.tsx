// The C key: pick the port where there are several, then the node that the wire leads to.
import { useMemo, useState } from "react";
import { connect } from "./edit";
import { iconOf } from "./FlowNode";
import { focusNode } from "./focus";
import { Icon } from "./icons";
import { closeOverlay } from "./Overlays";
import { Picker, type Choice } from "./Picker";
import { chosenNodes } from "./select";
import { hasError, portsWith } from "./shape";
import { say, store } from "./state";

export function ConnectPicker() {
  const { graph } = store.get();
  const node = graph.nodes.find((one) => one.id === chosenNodes()[0]);
  const ports = useMemo(() => (node ? portChoices(node.id) : []), [node]);
  const [port, setPort] = useState(ports.length === 1 ? (ports[0]?.id ?? "") : "");
  if (!node) return null;
  if (!port) return <Picker key="port" title={`From which port of ${node.label}?`} placeholder="Port…" choices={ports} onClose={closeOverlay} onPick={(choice) => setPort(choice.id)} />;
  const taken = new Set(graph.edges.filter((edge) => edge.source === node.id && edge.sourcePort === port).map((edge) => edge.target));
  const targets = graph.nodes.filter((one) => one.kind !== "trigger" && one.kind !== "note" && !taken.has(one.id)).map((one): Choice => ({ id: one.id, title: one.label, detail: one.kind, icon: <Icon name={iconOf(one)} size={14} /> }));
  const pick = (choice: Choice): void => {
    closeOverlay();
    connect(node.id, port, choice.id);
    say(`${node.label} is connected to ${choice.title}.`);
    focusNode(node.id);
  };
  return <Picker key="target" title={`Connect ${node.label} to`} placeholder="Node…" choices={targets} onClose={closeOverlay} onPick={pick} />;
}

function portChoices(id: string): Choice[] {
  const { graph } = store.get();
  const node = graph.nodes.find((one) => one.id === id);
  if (!node) return [];
  const ports = portsWith(node, graph.edges.filter((edge) => edge.source === id)).map((port): Choice => ({ id: port.id, title: port.id, detail: port.label === port.id ? "" : port.label }));
  if (ports.length < 2) return ports;
  return hasError(node) ? [...ports, { id: "error", title: "error", detail: "on failure" }] : ports;
}
