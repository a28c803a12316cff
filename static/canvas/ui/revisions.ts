// The bundle's revisions, and the flow's file in each of them.
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

export async function listRevisions(): Promise<RevisionRow[]> {
  const { body } = await ask<{ items: Told[] }>("GET", `/api/bundles/${bundle()}/revisions?limit=100`);
  return body.items.map((row) => ({ number: Number(row.revision ?? row.number), message: String(row.message ?? ""), author: String(row.author ?? ""), created: String(row.created ?? "") }));
}

export function textAt(revision: number): Promise<string> {
  const { flow } = store.get().data;
  const path = (flow.path ?? `flows/${flow.name}.yaml`).split("/").map(encodeURIComponent).join("/");
  return fetchText(`/api/bundles/${bundle()}/files/${path}?revision=${revision}`);
}
