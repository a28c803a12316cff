// The parameters of the prompt that a node fills, each a field of the node.
import type { GNode } from "../core";
import { Bound } from "./Bound";
import { setField } from "./edit";
import { useEditor } from "./state";
import { valueAt } from "./values";

const AT = "with.parameters";

export function PromptParameters({ node, raw, readOnly }: { node: GNode; raw: Record<string, unknown>; readOnly: boolean }) {
  const handler = String(raw.handler ?? "");
  const prompt = useEditor((state) => state.data.prompts?.find((one) => `prompt:${one.id}` === handler));
  if (!prompt?.fields.length) return null;
  const given = valueAt(raw, AT);
  const none = given === undefined;
  const needed = prompt.fields.filter((field) => field.required);
  const fromPayload = (): void => setField(node.id, AT, Object.fromEntries((needed.length ? needed : prompt.fields).map(({ key }) => [nameIn(key), `\${payload.${nameIn(key)}}`])));
  return (
    <fieldset className="ed-parameters">
      <legend>Parameters of {prompt.name}</legend>
      <p className="ed-hint">{none ? "None is set here: each is the field of the payload that bears its name." : "Set here; those that are empty have their defaults."}</p>
      {none && !readOnly && <button type="button" className="ed-add" onClick={fromPayload}>Write them down</button>}
      {prompt.fields.map((field) => <Bound key={`${prompt.id} ${field.key}`} field={field} node={node} raw={raw} readOnly={readOnly} />)}
    </fieldset>
  );
}

function nameIn(key: string): string {
  return key.slice(AT.length + 1);
}
