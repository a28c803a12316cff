// Saving: the text with the revision it was made from; a stale one is never forced over somebody's work.
import { drafts } from "../code/stored";
import { canvasText, say, store, toast, type Conflict } from "./state";
import { flushTyping } from "./edit";
import type { FlowBody } from "./data";
import { ask, Refused } from "./http";

export function isDirty(): boolean {
  const { text, savedText, canvas, savedCanvas } = store.get();
  return text !== savedText || canvasText(canvas) !== savedCanvas;
}

let sending: Promise<boolean> | null = null;
/** Files of the bundle that go with the next save, as base64: a module and its source. */
let beside: Record<string, string> = {};

/** The text and these files, as one revision. */
export async function saveWith(files: Record<string, string>): Promise<boolean> {
  beside = files;
  const done = await save();
  beside = {};
  return done;
}

/** True when the server holds what is on the screen; what is asked for while it saves waits for that. */
export async function save(): Promise<boolean> {
  flushTyping();
  if (sending) return (await sending) && save();
  const { save: status, readOnly, revision } = store.get();
  if (readOnly || status === "saving") return false;
  if (status === "conflict") return store.set({ overlay: "conflict" }), false;
  if (!isDirty() && !Object.keys(beside).length) return say("Nothing to save."), true;
  sending = send(revision).finally(() => (sending = null));
  return sending;
}

async function send(revision: number): Promise<boolean> {
  const { text, canvas, data } = store.get();
  store.set({ save: "saving" });
  try {
    const { body } = await ask<FlowBody>("PUT", flowUrl(), { organism_yaml: text, canvas_state: canvas, ...(Object.keys(beside).length ? { files: beside } : {}) }, { "If-Match": `"${revision}"` });
    accept(body, text, canvasText(canvas));
    return true;
  } catch (problem) {
    await refused(problem, data.flow.organism_yaml);
    return false;
  }
}

export function flowUrl(rest = ""): string {
  const { data } = store.get();
  return (data.urls.api ?? data.urls.flow ?? `/api/flows/${data.flow.id}`).replace(/\/$/, "") + rest;
}

function accept(body: FlowBody, text: string, canvas: string): void {
  const { data } = store.get();
  const kept = body.organism_yaml ?? text;
  store.set({
    data: { ...data, flow: { ...data.flow, ...body } }, savedText: kept, savedCanvas: canvas, revision: body.revision,
    told: body.problems ?? [], status: body.status ?? store.get().status, save: "saved", conflict: null,
  });
  if (isDirty()) store.set({ save: "dirty" });
  say(`Saved as revision ${body.revision}.`);
}

async function refused(problem: unknown, base: string): Promise<void> {
  if (!(problem instanceof Refused)) throw problem;
  if (problem.status === 412) return stale(base);
  store.set({ save: "failed" });
  toast(problem.message, "error");
  say(`Not saved. ${problem.message}`);
}

/** Somebody saved in the meantime: fetch theirs, and show all three. */
async function stale(base: string): Promise<void> {
  try {
    const { body } = await ask<FlowBody>("GET", flowUrl());
    const mine = store.get().text;
    if (body.organism_yaml === mine || body.organism_yaml === base) return void (await onlyRevision(body));
    const conflict: Conflict = { base, mine, theirs: body.organism_yaml, revision: body.revision };
    store.set({ save: "conflict", conflict, overlay: "conflict" });
    say("Somebody saved this flow in the meantime. Choose what to keep.");
  } catch (problem) {
    store.set({ save: "failed" });
    toast(problem instanceof Error ? problem.message : String(problem), "error");
  }
}

/** The other change was elsewhere in the bundle: this text fits the newest revision as it is. */
async function onlyRevision(body: FlowBody): Promise<void> {
  store.set({ revision: body.revision, save: "dirty" });
  await send(body.revision);
}

/** The reader settled the conflict: the merged text becomes ours, on top of theirs. */
export async function settle(merged: string, put: (text: string) => void): Promise<void> {
  const { conflict, data } = store.get();
  if (!conflict) return;
  put(merged);
  store.set({
    conflict: null, overlay: "", save: "dirty", revision: conflict.revision, savedText: conflict.theirs,
    data: { ...data, flow: { ...data.flow, organism_yaml: conflict.theirs, revision: conflict.revision } },
  });
  if (isDirty()) await send(conflict.revision);
  else store.set({ save: "saved" });
}

export function guardUnsaved(): void {
  addEventListener("beforeunload", (event) => {
    if (!store.get().readOnly && (isDirty() || drafts.size)) event.preventDefault();
  });
}
