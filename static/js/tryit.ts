// data-tryit: the console of an endpoint. Writes the curl line while somebody types; sends with a short-lived key.
import { each } from "./dom";
import { toast } from "./toast";

const MAX_SHOWN = 200_000; // characters of an answer
const EARLY_MS = 60_000; // a key is renewed so long before it ends

let token = "";
let ends = 0;

export interface Call {
  url: string;
  headers: [string, string][];
  body: string;
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

export class Console {
  constructor(protected readonly form: HTMLFormElement) {
    for (const name of ["send", "copy"]) this.part(name)?.removeAttribute("hidden");
    form.addEventListener("input", () => this.draw());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    this.part("copy")?.addEventListener("click", () => void this.copy());
    this.draw();
  }

  protected part<T extends HTMLElement>(name: string): T | null {
    return this.form.querySelector<T>(`[data-tryit-${name}]`);
  }

  private text(name: string): string {
    return this.part<HTMLInputElement | HTMLTextAreaElement>(name)?.value.trim() ?? "";
  }

  private path(): string {
    const values = new Map<string, string>();
    this.form.querySelectorAll<HTMLInputElement>("[data-tryit-param]").forEach((field) => {
      values.set(field.dataset.tryitParam ?? "", field.value);
    });
    const parts = (this.form.dataset.path ?? "").split("/").map((part) => {
      const value = part.startsWith(":") ? values.get(part.slice(1)) : undefined;
      return value ? encodeURIComponent(value) : part;
    });
    const query = this.text("query").replace(/^\?/, "").replaceAll(" ", "%20");
    return parts.join("/") + (query ? `?${query}` : "");
  }

  protected call(): Call {
    const headers = this.text("headers")
      .split("\n")
      .map((line) => line.split(/:(.*)/s))
      .filter((pair) => pair[0]?.trim() && pair[1] !== undefined)
      .map((pair): [string, string] => [pair[0]!.trim(), pair[1]!.trim()]);
    const body = this.text("body");
    const typed = headers.some(([name]) => name.toLowerCase() === "content-type");
    if (body && !typed) headers.push(["Content-Type", "application/json"]);
    return { url: this.path(), headers, body };
  }

  private draw(): void {
    const { url, headers, body } = this.call();
    const { method = "GET", base = "", auth } = this.form.dataset;
    const parts = [`curl ${method === "GET" ? "" : `-X ${method} `}${quote(base + url)}`];
    if (auth !== "public") parts.push('-H "Authorization: Bearer $KEY"');
    parts.push(...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`));
    if (body) parts.push(`-d ${quote(body)}`);
    this.part("curl")!.textContent = parts.join(" \\\n  ");
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.part("curl")?.textContent ?? "");
      toast("Copied to the clipboard", "success");
    } catch {
      toast("The browser refused to copy. Select the text and copy it by hand.", "error");
    }
  }

  protected async key(): Promise<string> {
    if (token && Date.now() < ends) return token;
    const csrf = this.form.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
    const answer = await fetch(this.form.dataset.keyUrl ?? "", { method: "POST", headers: { "X-CSRFToken": csrf, "HX-Request": "true" } });
    if (!answer.ok) throw new Error(answer.status === 429 ? "Too many keys in a minute; wait a little." : "No key could be had. Sign in again.");
    const given = (await answer.json()) as { key: string; seconds: number };
    token = given.key;
    ends = Date.now() + given.seconds * 1000 - EARLY_MS;
    return token;
  }

  private async send(): Promise<void> {
    const button = this.part<HTMLButtonElement>("send");
    if (button) await this.pressed(button, () => this.sent());
  }

  /** One at a time; what goes wrong is told in a few words. */
  protected async pressed(button: HTMLButtonElement, act: () => Promise<void>): Promise<void> {
    if (button.disabled) return;
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      toast(problem instanceof Error ? problem.message : "The request could not be sent.", "error");
    } finally {
      button.disabled = false;
      button.focus({ preventScroll: true });
    }
  }

  protected async sent(): Promise<void> {
    const { url } = this.call();
    const missing = /\/:[^/?]+/.exec(url);
    if (missing) throw new Error(`Fill in ${missing[0].slice(1)} first.`);
    const odd = this.text("headers").split("\n").find((line) => line.trim() && line.indexOf(":") < 1);
    if (odd) throw new Error(`“${odd.trim()}” is not a header: write “X-Name: value”.`);
    const began = performance.now();
    const answer = await this.fetched(url);
    const text = await answer.text();
    this.show(answer, text, performance.now() - began);
  }

  /** The answer to the call as it is filled in, at ``url``. */
  protected async fetched(url: string, accept = ""): Promise<Response> {
    const { headers, body } = this.call();
    const head = named(headers);
    if (accept) head.set("Accept", accept);
    if (this.form.dataset.auth !== "public") head.set("Authorization", `Bearer ${await this.key()}`);
    const method = this.form.dataset.method ?? "GET";
    // No cookies: the data plane neither reads nor sets them.
    const answer = await fetch(url, { method, headers: head, body: body || undefined, credentials: "omit", redirect: "manual" });
    if (answer.status === 401) token = "";
    return answer;
  }

  protected show(answer: Response, text: string, spent: number): void {
    this.part("answer")!.hidden = false;
    const status = this.part("status")!;
    status.dataset.status = answer.status < 400 ? "success" : "error";
    // A browser does not tell pages where a redirect leads, only that there is one.
    const redirected = answer.type === "opaqueredirect";
    status.textContent = redirected ? "A redirect; curl shows where to" : `${answer.status} ${answer.statusText}`.trim();
    this.part("time")!.textContent = `${spent.toFixed(1)} ms`;
    const units = answer.headers.get("x-compute-units");
    this.part("units")!.textContent = units === null ? "" : `${units} CU`;
    const run = this.part<HTMLAnchorElement>("run")!;
    const id = answer.headers.get("x-execution-id");
    run.hidden = id === null;
    if (id) run.href = (this.form.dataset.runUrl ?? "/runs/") + encodeURIComponent(id);
    this.part("text")!.textContent = this.shown(text, answer.headers.get("content-type") ?? "");
    this.part("heads")!.textContent = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  }

  protected shown(text: string, kind: string): string {
    return pretty(text, kind);
  }
}

/** As the browser takes them; it does not say which line it dislikes. */
function named(headers: [string, string][]): Headers {
  const all = new Headers();
  for (const [name, value] of headers) {
    try {
      all.append(name, value);
    } catch {
      throw new Error(`“${name}: ${value}” cannot be sent as a header.`);
    }
  }
  return all;
}

/** What strangers' code answered, always as text. */
export function pretty(text: string, kind: string): string {
  if (!text) return "(no body)";
  let shown = text;
  if (kind.includes("json")) {
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not JSON after all: as it came.
    }
  }
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}\n… ${shown.length - MAX_SHOWN} characters more` : shown;
}

export function tryit(): void {
  each<HTMLFormElement>("form[data-tryit]", (form) => new Console(form));
}
