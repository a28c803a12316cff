// One field of a node's form, bound to its place in the text.
import { useCallback } from "react";
import type { GNode } from "../core";
import type { FieldSpec } from "./data";
import { rename, setField } from "./edit";
import { Field } from "./fields/Field";
import { useProblems } from "./Inspector";
import { valueAt } from "./values";

interface Props {
  field: FieldSpec;
  node: GNode;
  raw: Record<string, unknown>;
  readOnly: boolean;
}

export function Bound({ field, node, raw, readOnly }: Props) {
  const problems = useProblems(node);
  const change = useCallback((value: unknown) => {
    if (field.key === "name") rename(node.id, String(value ?? ""));
    else setField(node.id, field.key, value);
  }, [node.id, field.key]);
  const own = problems.find((problem) => new RegExp(`\\b${field.key.replace("with.", "")}\\b`).test(problem.message));
  return <Field spec={field} value={valueAt(raw, field.key)} node={node.id} readOnly={readOnly} problem={own?.message} onChange={change} />;
}
