// The revisions of the bundle that changed the flow, and its file in each of them.
import { ask, fetchText } from "./http";
import { store } from "./state";

export interface RevisionRow {
  number: number;
  message?: string;
  author?: string;
  created: string;
}

function bundle(): string {
  return store.get().data.flow.bundle;
}

interface Told extends Record<string, unknown> {
  number?: number;
  revision?: number;
  created?: string;
}

function file(): string {
  const { flow } = store.get().data;
  return flow.path ?? `flows/${flow.name}.yaml`;
}

export async function listRevisions(): Promise<RevisionRow[]> {
  const { body } = await ask<{ items: Told[] }>("GET", `/api/bundles/${bundle()}/revisions?limit=100&file=${encodeURIComponent(file())}`);
  return body.items.map((row) => ({ number: Number(row.revision ?? row.number), message: String(row.message ?? ""), author: String(row.author ?? ""), created: String(row.created ?? "") }));
}

export function textAt(revision: number): Promise<string> {
  const path = file().split("/").map(encodeURIComponent).join("/");
  return fetchText(`/api/bundles/${bundle()}/files/${path}?revision=${revision}`);
}
