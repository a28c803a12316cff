// Running: save, start, send a payload in, watch the steps; and opening a run that is over.
import { differing } from "../core";
import { ask, Refused } from "./http";
import { flowUrl, save } from "./save";
import { say, store, toast, type Run, type Step } from "./state";
import { showRun } from "./lights";
import { count } from "./words";
import { listenAhead, unwatch, watch } from "./watch";

interface ExecutionBody {
  id: string;
  status: string;
  error?: string;
  input?: unknown;
  steps?: Step[];
}

function failed(problem: unknown): void {
  const text = problem instanceof Error ? problem.message : String(problem);
  toast(text, "error");
  say(text);
}

async function start(): Promise<boolean> {
  const before = store.get().status;
  store.set({ status: "starting" });
  say("Starting…");
  try {
    const { body } = await ask<Status>("POST", flowUrl("/start"), {});
    return await running(body);
  } catch (problem) {
    if (problem instanceof Refused && Array.isArray(problem.body.errors)) store.set({ told: problem.body.errors as never });
    store.set({ status: before });
    failed(problem);
    return false;
  }
}

interface Status {
  status: string;
  note?: string;
}

/** Modules may have to be compiled first; that takes a moment. */
async function running(told: Status): Promise<boolean> {
  let now = told;
  for (let tries = 0; tries < 80 && now.status === "starting"; tries += 1) {
    store.set({ status: now.status });
    await new Promise((done) => setTimeout(done, 250));
    now = (await ask<Status>("GET", flowUrl("/status"))).body;
  }
  store.set({ status: now.status, served: now.status === "running" ? store.get().revision : store.get().served });
  if (now.status !== "running") failed(new Error(now.note || `The flow is ${now.status}.`));
  return now.status === "running";
}

let version = 0;

/** The revision that the dialog is about; 0 is the one that runs. */
export function wantedRevision(): number {
  return version;
}

/** An earlier revision, beside what runs: the dialog asks what to send in. */
export function runRevision(number: number): void {
  version = number;
  listenAhead();
  store.set({ overlay: "run" });
}

/** Saves and starts the flow; then the dialog asks what to send in. */
export async function runFlow(): Promise<void> {
  version = 0;
  if (!(await save())) return;
  const { status, served, revision } = store.get();
  if ((status !== "running" || served !== revision) && !(await start())) return;
  listenAhead();
  store.set({ overlay: "run" });
}

export async function stopFlow(): Promise<void> {
  try {
    const { body } = await ask<Status>("POST", flowUrl("/stop"), {});
    store.set({ status: body.status });
    say("The flow is stopped.");
  } catch (problem) {
    failed(problem);
  }
}

export interface Injection {
  trigger?: string;
  /** The node that gets the payload, instead of the one behind the trigger. */
  listener?: string;
  /** That node alone: its answer goes nowhere. */
  only?: boolean;
  /** The flow as it was then. */
  revision?: number;
  payload: unknown;
}

/** A node by itself or from there on: of the text as it is saved, whether or not the flow is started. */
export async function runNode(listener: string, payload: unknown, only: boolean): Promise<void> {
  if (await save()) await inject({ listener, payload, only });
}

/** Sends one payload in and follows the run that it makes; nodes with pinned data answer with that. */
export async function inject(what: Injection): Promise<void> {
  store.set({ overlay: "" });
  listenAhead();
  const { data, canvas } = store.get();
  const wish = { ...what, pinned: what.only ? {} : (canvas.pins ?? {}), draft: what.listener !== undefined };
  try {
    const { body } = await ask<{ execution: string }>("POST", `/api/triggers/${data.flow.id}/inject`, wish);
    follow(body.execution, what.payload);
  } catch (problem) {
    failed(problem);
  }
}

export function follow(id: string, payload?: unknown): void {
  store.set({ runShown: true });
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
  const run: Run = { id, status: body.status, steps: realSteps(body.steps ?? [], before?.steps), live: !over, error: body.error ?? "", payload: sentIn(body.input) ?? before?.payload };
  showRun(run);
  if (over && before?.live) say(run.error ? `The run failed. ${run.error}` : `The run ended: ${body.status}.`);
  return over;
}

/** The input of a run is the whole request, as `trigger` has it; what somebody sent is its body. */
function sentIn(input: unknown): unknown {
  return input && typeof input === "object" && "method" in input && "body" in input ? input.body : input;
}

function realSteps(told: readonly Step[], before: readonly Step[] = []): Step[] {
  const steps = told.filter((step) => typeof step.node === "string" && !step.flow); // those of called flows light up nothing here
  return steps.length >= before.length ? steps : [...before];
}

/** A run that is over, or still going on. */
export async function openRun(id: string): Promise<void> {
  unwatch();
  store.set({ run: null, runShown: true, differs: null });
  try {
    if (!(await refresh(id))) follow(id);
  } catch (problem) {
    failed(problem);
  }
}

/** Marks the nodes that did something else in another run. */
export async function compareWith(id: string): Promise<void> {
  try {
    const { body } = await ask<ExecutionBody>("GET", `/api/executions/${id}`);
    const steps = store.get().run?.steps ?? [];
    const differs = new Set([...differing(realSteps(body.steps ?? []), steps)].map((name) => name.toLowerCase()));
    store.set({ differs });
    say(differs.size ? `${count(differs.size, "node")} did something else in the other run.` : "Both runs did the same.");
  } catch (problem) {
    failed(problem);
  }
}

/** The last run as data for the forms and their completion, without lights and panel. */
export async function recallRun(id: string): Promise<void> {
  store.set({ runShown: false });
  await refresh(id).catch(() => undefined);
}

/** The whole run once more with the same data, or only from the step that failed. */
export async function retryRun(fromFailed: boolean): Promise<void> {
  const id = store.get().run?.id;
  if (!id) return;
  try {
    const { body } = await ask<{ id?: string; execution?: string }>("POST", `/api/executions/${id}/retry${fromFailed ? "?from=failed" : ""}`, {});
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
  store.set({ runShown: false, nodeRuns: {}, wireRuns: {}, differs: null });
}
