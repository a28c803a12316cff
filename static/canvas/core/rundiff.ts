// Which nodes did something else in another run: judged like runtime/flowdiff.py, time left aside.
interface Step {
  node: string;
  input?: unknown;
  output?: unknown;
  error?: unknown;
}

/** The nodes, as the steps name them, that ran another number of times or with another input, output or error. */
export function differing(one: readonly Step[], two: readonly Step[]): Set<string> {
  const [left, right] = [byNode(one), byNode(two)];
  const names = new Set([...left.keys(), ...right.keys()]);
  return new Set([...names].filter((name) => left.get(name) !== right.get(name)));
}

function byNode(steps: readonly Step[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { node, input, output, error } of steps) {
    if (node) found.set(node, `${found.get(node) ?? ""}\n${JSON.stringify([input, output, error ?? ""])}`);
  }
  return found;
}
