// What a run's steps say about nodes and wires: this is what lights up.
import { store, type NodeRun, type Run, type Step } from "./state";

/** Sets the run and what it means for each node; names are compared as the engine does, without their case. */
export function showRun(run: Run): void {
  const { nodeRuns, wireRuns } = lights(store.get().runShown ? run.steps : []);
  if (run.live && store.get().runShown) underway(run.steps, nodeRuns);
  store.set({ run, nodeRuns: keepEqual(store.get().nodeRuns, nodeRuns), wireRuns });
}

export function lights(steps: readonly Step[]): { nodeRuns: Record<string, NodeRun>; wireRuns: Record<string, number> } {
  const names = new Map(store.get().graph.nodes.map((node) => [node.id.toLowerCase(), node.id]));
  const own = (name: string | undefined): string => names.get((name ?? "").toLowerCase()) ?? name ?? "";
  const nodeRuns: Record<string, NodeRun> = {};
  const wireRuns: Record<string, number> = {};
  for (const step of steps) {
    const id = own(step.node);
    nodeRuns[id] = { state: step.error ? "failed" : "success", count: (nodeRuns[id]?.count ?? 0) + 1, step };
    const from = own(step.from) || triggerOf(id);
    if (from) wireRuns[`${from}\n${id}`] = (wireRuns[`${from}\n${id}`] ?? 0) + 1;
  }
  return { nodeRuns, wireRuns };
}

/** While it goes on: nodes that were sent something and have not answered yet. */
function underway(steps: readonly Step[], nodeRuns: Record<string, NodeRun>): void {
  const { graph } = store.get();
  const open = new Map<string, number>();
  for (const step of steps) {
    open.set(step.node, (open.get(step.node) ?? 0) - 1);
    for (const to of step.to ?? []) open.set(to, (open.get(to) ?? 0) + 1);
  }
  for (const node of graph.nodes) {
    const last = nodeRuns[node.id]?.step ?? { node: node.id, kind: node.kind, at_us: -1, duration_us: 0, units: 0, attempt: 0 };
    if ((open.get(node.name) ?? 0) > 0) nodeRuns[node.id] = { state: "running", count: nodeRuns[node.id]?.count ?? 0, step: last };
  }
}

/** What a run began with, where only one trigger leads to its first node. */
function triggerOf(node: string): string {
  const { graph } = store.get();
  const before = graph.edges.filter((edge) => edge.target === node && edge.sourcePort === "trigger");
  return before.length === 1 ? before[0]!.source : "";
}

/** Nodes whose light did not change are not drawn again. */
function keepEqual(before: Readonly<Record<string, NodeRun>>, now: Record<string, NodeRun>): Record<string, NodeRun> {
  for (const [id, run] of Object.entries(now)) {
    const old = before[id];
    if (old && old.count === run.count && old.state === run.state && old.step.at_us === run.step.at_us) now[id] = old;
  }
  return now;
}

export function addStep(step: Step): void {
  const { run } = store.get();
  const told = run?.steps.some((one) => one.node === step.node && one.at_us === step.at_us && one.attempt === step.attempt);
  if (run?.live && !told && !step.flow) showRun({ ...run, steps: [...run.steps, step] });
}

/** All that the run recorded about one node, newest last. */
export function stepsOf(run: Run | null, node: string): Step[] {
  const wanted = node.toLowerCase();
  return run?.steps.filter((step) => (step.node ?? "").toLowerCase() === wanted) ?? [];
}
