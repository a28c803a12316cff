// Running: save, start, send a payload in, watch the steps; and opening a run that is over.
import type { FlowBody } from "./data";
import { ask, Refused } from "./http";
import { flowUrl, save } from "./save";
import { say, store, toast, type Run, type Step } from "./state";
import { showRun } from "./lights";
import { unwatch, watch } from "./watch";

interface ExecutionBody {
  id: string;
  status: string;
  error?: unknown;
  record?: { steps?: Step[]; request?: unknown; error?: unknown };
  steps?: Step[];
}

function failed(problem: unknown): void {
  const text = problem instanceof Error ? problem.message : String(problem);
  toast(text, "error");
  say(text);
}

async function start(): Promise<boolean> {
  try {
    const { body } = await ask<FlowBody>("POST", flowUrl("/start"), {});
    store.set({ status: body.status ?? "running", told: body.problems ?? store.get().told });
    return true;
  } catch (problem) {
    if (problem instanceof Refused && Array.isArray(problem.body.errors)) store.set({ told: problem.body.errors as never });
    failed(problem);
    return false;
  }
}

/** Saves and starts the flow; then the dialog asks what to send in. */
export async function runFlow(): Promise<void> {
  if (!(await save())) return;
  if (store.get().status !== "running" && !(await start())) return;
  store.set({ overlay: "run" });
}

export async function stopFlow(): Promise<void> {
  try {
    const { body } = await ask<FlowBody>("POST", flowUrl("/stop"), {});
    store.set({ status: body?.status ?? "stopped" });
    say("The flow is stopped.");
  } catch (problem) {
    failed(problem);
  }
}

export interface Injection {
  trigger?: string;
  node?: string;
  only?: boolean;
  payload: unknown;
}

/** Sends one payload in and follows the run that it makes. */
export async function inject(what: Injection): Promise<void> {
  store.set({ overlay: "" });
  try {
    const { body } = await ask<{ execution: string }>("POST", flowUrl("/inject"), what);
    follow(body.execution, what.payload);
  } catch (problem) {
    failed(problem);
  }
}

export function follow(id: string, payload?: unknown): void {
  showRun({ id, status: "running", steps: [], live: true, error: "", payload });
  say("Running.");
  watch(id, () => refresh(id));
}

/** The row is the truth about a run; the lines before it are only quicker. */
export async function refresh(id: string): Promise<boolean> {
  const { body } = await ask<ExecutionBody>("GET", `/api/executions/${id}`);
  const before = store.get().run;
  if (before && before.id !== id) return true;
  const over = !["queued", "running", "waiting"].includes(body.status);
  const steps = body.steps ?? body.record?.steps ?? before?.steps ?? [];
  const run: Run = { ...(before ?? { payload: undefined }), id, status: body.status, steps: realSteps(steps, before?.steps), live: !over, error: failure(body) };
  showRun(run);
  if (over && before?.live) say(run.error ? `The run failed. ${run.error}` : `The run ended: ${body.status}.`);
  return over;
}

function realSteps(told: readonly Step[], before: readonly Step[] = []): Step[] {
  const steps = told.filter((step) => typeof step.node === "string");
  return steps.length >= before.length ? steps : [...before];
}

function failure(body: ExecutionBody): string {
  const error = body.error ?? body.record?.error;
  if (!error) return "";
  return typeof error === "string" ? error : String((error as { message?: string; title?: string }).message ?? (error as { title?: string }).title ?? JSON.stringify(error));
}

export async function openRun(id: string): Promise<void> {
  unwatch();
  store.set({ run: null });
  try {
    if (!(await refresh(id))) follow(id);
  } catch (problem) {
    failed(problem);
  }
}

export async function retryRun(): Promise<void> {
  const id = store.get().run?.id;
  if (!id) return;
  try {
    const { body } = await ask<{ id?: string; execution?: string }>("POST", `/api/executions/${id}/retry`, {});
    follow(body.execution ?? body.id ?? id);
  } catch (problem) {
    failed(problem);
  }
}

export async function cancelRun(): Promise<void> {
  const id = store.get().run?.id;
  if (!id) return;
  try {
    await ask("POST", `/api/executions/${id}/cancel`, {});
    await refresh(id);
  } catch (problem) {
    failed(problem);
  }
}

export function closeRun(): void {
  unwatch();
  store.set({ run: null, nodeRuns: {}, wireRuns: {} });
}
