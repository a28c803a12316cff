// One operation of the canvas: the smallest change of the text that says it.
import { duplicate, paste } from "./clipboard.ts";
import { addNode, insertOnEdge, removeNodes, setDisabled, setField, setFlow } from "./nodes.ts";
import { chain, Refusal, refused } from "./outcome.ts";
import { looksLikePdflow } from "./pdflow.ts";
import { rename } from "./rename.ts";
import { read } from "./source.ts";
import { lineStarts, placeOf } from "./splice.ts";
import type { Applied, Op } from "./types.ts";
import { connect, disconnect, reconnect } from "./wires.ts";

/** Never throws; a refused operation changes nothing and says why. */
export function apply(text: string, op: Op): Applied {
  try {
    writable(text);
    return { ...perform(text, op) };
  } catch (wrong) {
    if (wrong instanceof Refusal) return refused(text, wrong, lineStarts(text));
    return refused(text, new Refusal(`This edit did not work: ${String((wrong as Error).message)}`), lineStarts(text));
  }
}

function writable(text: string): void {
  if (looksLikePdflow(text)) throw new Refusal("A .pdflow is shown, not edited.");
  const fault = read(text).faults[0];
  if (fault) throw new Refusal(`The YAML has an error on line ${placeOf(lineStarts(text), fault.start).line}: ${fault.message}`, "mend it first", fault.start);
}

function perform(text: string, op: Op): Applied {
  switch (op.op) {
    case "addNode": return addNode(text, op.node, op.after, op.from);
    case "removeNodes": return removeNodes(text, op.names);
    case "renameNode": return rename(text, op.name, op.to);
    case "setField": return setField(text, op.name, op.path, op.value);
    case "setFlow": return setFlow(text, op.path, op.value);
    case "connect": return connect(text, op.wire);
    case "disconnect": return disconnect(text, op.wires);
    case "reconnect": return reconnect(text, op.wire, op.to);
    case "insertOnEdge": return insertOnEdge(text, op);
    case "paste": return paste(text, op.yaml);
    case "duplicate": return duplicate(text, op.names);
    case "setDisabled": return setDisabled(text, op.names, op.disabled);
    case "all": return chain(text, op.ops.map((one) => (now: string) => perform(now, one)));
  }
}
