// data-market-live="/ws/market": figures that follow the market; each new round asks for the charts and lists anew.
import { each } from "./dom";

type Words = Record<string, string | number | boolean>;

interface Receipt {
  number: number;
  text: string;
}

interface Mine {
  balance: number;
  actions: number;
  reservations?: { id: string; status: string }[];
}

interface Message {
  state?: Words;
  mine?: Mine;
  receipts?: Receipt[];
}

const WAITS = [500, 1000, 2000, 5000, 10_000, 30_000];
const FINAL = new Set([1008, 1009, 4401, 4403]);
const REFRESH_MS = 1000;
const SPEAK_MS = 8000;
const TICK_MS = 100;

class Market {
  private tries = 0;
  private shift = 0; // the server's clock less ours
  private state: Words = {};
  private seen = 0;
  private refreshed = 0;
  private waiting = 0;
  private spoken = 0;
  private mine = "";
  private reserved: string | undefined;

  constructor(private readonly root: HTMLElement) {
    this.connect();
    setInterval(() => this.tick(), TICK_MS);
  }

  private all(selector: string): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>(selector)];
  }

  private connect(): void {
    if (!this.root.isConnected) return;
    const url = new URL(this.root.dataset.marketLive ?? "", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.addEventListener("open", () => this.link("running", "live", ""));
    socket.addEventListener("message", (event) => this.take(JSON.parse(String(event.data)) as Message));
    socket.addEventListener("close", (event) => this.closed(event.code));
  }

  private closed(code: number): void {
    if (FINAL.has(code)) return this.link("error", "not live", code === 4401 ? "Sign in again." : "Reload to see the newest figures.");
    this.link("starting", "reconnecting", "");
    setTimeout(() => this.connect(), WAITS[Math.min(this.tries++, WAITS.length - 1)]! * (0.75 + Math.random() / 2));
  }

  private link(status: string, text: string, more: string): void {
    for (const badge of this.all("[data-market-link]")) {
      badge.dataset.status = status;
      badge.textContent = text;
    }
    for (const note of this.all("[data-market-linked]")) note.textContent = more;
  }

  private take(message: Message): void {
    this.tries = 0;
    if (message.state) this.show(message.state);
    if (message.mine) this.own(message.mine);
    for (const receipt of message.receipts ?? []) this.speak(receipt);
  }

  private show(state: Words): void {
    this.state = state;
    this.shift = Number(state.now) - Date.now();
    for (const element of this.all("[data-market]")) {
      const text = String(state[element.dataset.market ?? ""] ?? "");
      if (element.textContent !== text) element.textContent = text;
    }
    for (const element of this.all("[data-market-tone]")) element.dataset.marketTone = String(state.tone);
    for (const meter of this.all("[data-market-meter]") as HTMLProgressElement[]) meter.value = Number(state.filled);
    const number = Number(state.number);
    if (this.seen && number !== this.seen) this.refresh();
    this.seen = number;
  }

  private own(mine: Mine): void {
    for (const element of this.all("[data-mine=balance]")) element.textContent = mine.balance.toLocaleString("en");
    const known = `${mine.balance} ${mine.actions}`;
    if (this.mine && known !== this.mine) this.refresh();
    this.mine = known;
    const reserved = (mine.reservations ?? []).map((one) => `${one.id} ${one.status}`).join();
    if (this.reserved !== undefined && reserved !== this.reserved) {
      document.getElementById("reservations")?.dispatchEvent(new Event("market-reserved"));
    }
    this.reserved = reserved;
  }

  /** At most once a second, and not while somebody reads on another tab. */
  private refresh(): void {
    if (this.waiting) return;
    const wait = Math.max(0, this.refreshed + REFRESH_MS - Date.now());
    this.waiting = window.setTimeout(() => {
      this.waiting = 0;
      this.refreshed = Date.now();
      const part = document.getElementById("market-live");
      if (part && !document.hidden) part.dispatchEvent(new Event("market-round"));
    }, wait);
  }

  /** A screen reader hears a receipt now and then, not every second. */
  private speak(receipt: Receipt): void {
    if (Date.now() - this.spoken < SPEAK_MS) return;
    this.spoken = Date.now();
    for (const news of this.all("[data-market-news]")) news.textContent = receipt.text;
  }

  private tick(): void {
    if (!this.state.bidding) return this.clock("at once", 0, true);
    const round = Number(this.state.round_ms);
    const passed = (Date.now() + this.shift) % round;
    this.clock(`${((round - passed) / 1000).toFixed(1)} s`, passed, false);
  }

  private clock(text: string, passed: number, hidden: boolean): void {
    if (!Object.keys(this.state).length) return;
    for (const element of this.all("[data-market-countdown]")) if (element.textContent !== text) element.textContent = text;
    for (const bar of this.all("[data-market-clock]") as HTMLProgressElement[]) {
      bar.hidden = hidden;
      bar.value = passed;
    }
  }
}

/** The warning of an unlimited cap stands there as soon as it would hold. */
function bids(form: HTMLFormElement): void {
  const warn = (): void => {
    const toggle = form.querySelector<HTMLInputElement>("[name=auto_bid]");
    const cap = form.querySelector<HTMLInputElement>("[name=bid_cap]");
    const warning = form.querySelector<HTMLElement>("[data-unlimited]");
    if (warning) warning.hidden = !(toggle?.checked && Number(cap?.value || 0) === 0);
  };
  form.addEventListener("input", warn);
}

export function market(): void {
  each("[data-market-live]", (element) => new Market(element));
  each<HTMLFormElement>("form[data-bidding]", bids);
}
