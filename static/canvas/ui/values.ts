// Reading a node's keys by their paths.
const ALSO: Record<string, string[]> = { onError: ["on_error"], max_tokens: ["maxTokens"], max_iterations: ["maxIterations"], promptRef: ["prompt_ref"] };

/** The value at a path such as `with.url`; agents may hold their keys under `agent`. */
export function valueAt(fields: Record<string, unknown>, path: string): unknown {
  let value: unknown = fields;
  for (const key of path.split(".")) value = own(value, key);
  return value ?? own(fields.agent, path) ?? undefined;
}

function own(value: unknown, key: string): unknown {
  if (!value || typeof value !== "object") return undefined;
  const map = value as Record<string, unknown>;
  return map[key] ?? ALSO[key]?.map((other) => map[other]).find((one) => one !== undefined);
}
