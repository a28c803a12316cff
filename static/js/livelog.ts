// data-livelog="/ws/…": follows a log by websocket; pause, filters, and a few spoken words instead of every line.
import { each } from "./dom";

interface Line {
  at: string;
  level: string;
  service: string;
  name: string;
  execution: string;
  text: string;
}

interface Message {
  lines?: Line[];
  skipped?: number;
  status?: string;
}

const MAX_LINES = 500;
const MAX_HELD = 2000; // while paused
const SPEAK_MS = 10_000;
const WAITS = [500, 1000, 2000, 5000, 10_000, 30_000];
const RANK: Record<string, number> = { debug: 0, info: 1, notice: 1, warning: 2, error: 3 };
const FINAL = new Set([1000, 1008, 1009, 4401, 4403, 4404]);
const REASON: Record<number, string> = { 4401: "signed out", 4403: "no longer allowed", 4404: "not found" };

class LiveLog {
  private readonly list: HTMLElement;
  private held: Message[] = [];
  private paused = false;
  private tries = 0;
  private fresh = 0;
  private socket: WebSocket | null = null;
  private begun = false;
  private stale = false;

  constructor(private readonly root: HTMLElement) {
    this.list = this.part("lines");
    this.part("tools").hidden = false;
    this.part<HTMLSelectElement>("level").addEventListener("change", () => this.filter());
    this.part<HTMLInputElement>("text").addEventListener("input", () => this.filter());
    this.part("pause").addEventListener("click", () => this.pause());
    this.part("clear").addEventListener("click", () => this.clear());
    setInterval(() => this.speak(), SPEAK_MS);
    this.bottom();
    this.connect();
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.root.querySelector<T>(`[data-livelog-${name}]`)!;
  }

  private connect(): void {
    if (!this.root.isConnected) return; // htmx took the panel away
    const url = new URL(this.root.dataset.livelog ?? "", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    this.begun = false;
    socket.addEventListener("open", () => this.state("running", "live"));
    socket.addEventListener("message", (event) => this.take(JSON.parse(String(event.data)) as Message));
    socket.addEventListener("close", (event) => this.closed(event.code));
  }

  private closed(code: number): void {
    if (FINAL.has(code)) {
      this.state(code === 1000 ? "stopped" : "error", REASON[code] ?? "ended");
      return;
    }
    const wait = WAITS[Math.min(this.tries++, WAITS.length - 1)]!;
    this.state("starting", "reconnecting");
    setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }

  private state(status: string, text: string): void {
    const badge = this.part("state");
    badge.dataset.status = status;
    if (badge.textContent !== text) badge.textContent = text;
  }

  private take(message: Message): void {
    if (!this.root.isConnected) return this.socket?.close();
    this.tries = 0;
    if (!this.begun && message.lines) {
      // The first message is the recent history: it replaces what stands there.
      this.begun = true;
      this.held = [];
      this.stale = true;
    }
    if (!this.paused) return this.show([message]);
    this.held.push(message);
    const lost = this.held.length > MAX_HELD ? this.held.shift() : undefined;
    if (lost) this.held[0] = { ...this.held[0], skipped: count(this.held[0]) + count(lost) };
    this.part("pause").textContent = "Go on";
  }

  private show(messages: Message[]): void {
    const stick = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    const parts = new DocumentFragment();
    if (this.stale) this.list.replaceChildren();
    this.stale = false;
    for (const message of messages) {
      if (message.skipped) parts.append(marker(`${message.skipped} lines left out`));
      for (const line of message.lines ?? []) parts.append(this.row(line));
      this.fresh += message.lines?.length ?? 0;
      if (message.status) parts.append(marker(`ended: ${message.status}`));
    }
    this.list.append(parts);
    while (this.list.children.length > MAX_LINES) this.list.firstElementChild!.remove();
    this.part("empty").hidden = this.list.children.length > 0;
    if (stick) this.bottom();
  }

  private row(line: Line): HTMLElement {
    const item = document.createElement("li");
    item.dataset.level = line.level;
    const time = document.createElement("time");
    time.dateTime = line.at;
    time.textContent = line.at.slice(11, 23);
    const link = document.createElement("a");
    link.href = `/runs/${encodeURIComponent(line.execution)}`;
    link.textContent = [line.service, line.name].filter(Boolean).join(".");
    const text = document.createElement("span");
    text.textContent = line.text;
    item.append(time, " ", link, " ", text);
    item.hidden = !this.wanted(item);
    return item;
  }

  private wanted(item: HTMLElement): boolean {
    const least = RANK[this.part<HTMLSelectElement>("level").value] ?? 0;
    const text = this.part<HTMLInputElement>("text").value.trim().toLowerCase();
    const rank = RANK[item.dataset.level ?? ""] ?? 1;
    return rank >= least && (!text || (item.textContent ?? "").toLowerCase().includes(text));
  }

  private filter(): void {
    for (const item of this.list.children) {
      if (item instanceof HTMLElement && item.dataset.level) item.hidden = !this.wanted(item);
    }
    this.bottom();
  }

  private pause(): void {
    this.paused = !this.paused;
    const button = this.part("pause");
    button.setAttribute("aria-pressed", String(this.paused));
    button.textContent = this.paused ? "Go on" : "Pause";
    if (!this.paused) {
      this.show(this.held);
      this.held = [];
      this.bottom();
    }
  }

  private clear(): void {
    this.list.replaceChildren();
    this.held = [];
    this.part("empty").hidden = false;
  }

  private bottom(): void {
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** A screen reader hears how much came, now and then, not every line. */
  private speak(): void {
    if (this.fresh) this.part("news").textContent = `${this.fresh} new log lines`;
    this.fresh = 0;
  }
}

function count(message: Message | undefined): number {
  return (message?.skipped ?? 0) + (message?.lines?.length ?? 0);
}

function marker(text: string): HTMLElement {
  const item = document.createElement("li");
  item.className = "text-muted-foreground italic";
  item.textContent = `… ${text}`;
  return item;
}

export function livelog(): void {
  each("[data-livelog]", (element) => new LiveLog(element));
}
