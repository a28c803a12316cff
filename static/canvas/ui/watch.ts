// Following a run: its lines by websocket, and the row itself every now and then where there is none.
import { addStep } from "./lights";
import { store, type Step } from "./state";

interface Line {
  level: string;
  text: string;
  execution: string;
}

const POLL_MS = [150, 300, 600, 1000, 1500];
let socket: WebSocket | null = null;
let timer = 0;

export function unwatch(): void {
  clearTimeout(timer);
  socket?.close();
  socket = null;
}

export function watch(id: string, refresh: () => Promise<boolean>): void {
  unwatch();
  listen(id, refresh);
  poll(refresh, 0);
}

function listen(id: string, refresh: () => Promise<boolean>): void {
  const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/executions/${id}`);
  socket = own;
  own.onmessage = (event) => {
    const told = JSON.parse(String(event.data)) as { lines?: Line[]; status?: string; done?: boolean };
    for (const line of told.lines ?? []) if (line.level === "step") lit(line);
    if (told.status) settle(refresh);
  };
  own.onclose = () => socket === own && (socket = null);
}

function lit(line: Line): void {
  try {
    addStep(JSON.parse(line.text) as Step);
  } catch {
    // A step too long for one line: the row has it whole.
  }
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
