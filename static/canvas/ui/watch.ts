// Following a run: its lines by websocket, and the row itself every now and then where there is none.
import { addStep } from "./lights";
import { store, type Step } from "./state";

interface Line {
  level: string;
  text: string;
  execution: string;
}

interface Told {
  lines?: Line[];
  status?: string;
}

const POLL_MS = [150, 300, 600, 1000, 1500];
const KEPT = 500;
let all: WebSocket | null = null;
let one: WebSocket | null = null;
let followed = "";
let early: Line[] = [];
let timer = 0;

function open(path: string, heard: (told: Told) => void): WebSocket {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
  socket.onmessage = (event) => heard(JSON.parse(String(event.data)) as Told);
  return socket;
}

/** Before a run is started: only a watched bundle tells its steps as they happen. */
export function listenAhead(): void {
  if (all && all.readyState <= WebSocket.OPEN) return;
  const { urls, flow } = store.get().data;
  early = [];
  all = open(urls.socket ?? `/ws/bundles/${flow.bundle}/logs`, (told) => told.lines?.forEach(heard));
}

function heard(line: Line): void {
  if (line.level !== "step") return;
  if (line.execution === followed) return lit(line);
  early = [...early.slice(1 - KEPT), line];
}

function lit(line: Line): void {
  try {
    addStep(JSON.parse(line.text) as Step);
  } catch {
    // A step too long for one line: the row has it whole.
  }
}

export function unwatch(): void {
  clearTimeout(timer);
  for (const socket of [all, one]) socket?.close();
  all = one = null;
  followed = "";
}

export function watch(id: string, refresh: () => Promise<boolean>): void {
  clearTimeout(timer);
  one?.close();
  listenAhead();
  followed = id;
  early.filter((line) => line.execution === id).forEach(lit);
  one = open(`${store.get().data.urls.runSocket ?? "/ws/executions/"}${id}`, (told) => {
    told.lines?.forEach(heard);
    if (told.status) settle(refresh);
  });
  poll(refresh, 0);
}

function settle(refresh: () => Promise<boolean>): void {
  clearTimeout(timer);
  poll(refresh, 0);
}

function poll(refresh: () => Promise<boolean>, round: number): void {
  timer = window.setTimeout(async () => {
    const over = await refresh().catch(() => round > 60);
    if (over) unwatch();
    else if (store.get().run?.live) poll(refresh, round + 1);
  }, round === 0 ? 0 : (POLL_MS[round - 1] ?? 2000));
}
