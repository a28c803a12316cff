// data-tryprompt: the console of a prompt, which is compiled only, or run and heard while the model writes.
import { each } from "./dom";
import { Console, pretty } from "./tryit";

const STREAM = "text/event-stream";

interface Heard {
  name: string;
  data: Record<string, unknown>;
}

interface Problem {
  file: string;
  line: number;
  message: string;
}

class PromptConsole extends Console {
  constructor(form: HTMLFormElement) {
    super(form);
    const dry = this.part<HTMLButtonElement>("dry");
    dry?.removeAttribute("hidden");
    dry?.addEventListener("click", () => void this.pressed(dry, () => this.plain("?dry=1")));
  }

  protected override async sent(): Promise<void> {
    const began = performance.now();
    const answer = await this.asked("/stream", STREAM);
    if (answer.status === 406) return this.plain(""); // an interceptor changes whole answers of this prompt
    if (!answer.headers.get("content-type")?.startsWith(STREAM)) return this.show(answer, await answer.text(), performance.now() - began);
    await this.hear(answer, began);
  }

  private async plain(query: string): Promise<void> {
    const began = performance.now();
    const answer = await this.asked(query, "application/json");
    this.show(answer, await answer.text(), performance.now() - began);
  }

  private async asked(more: string, accept: string): Promise<Response> {
    const { url, body } = this.call();
    try {
      JSON.parse(body || "{}");
    } catch (problem) {
      throw new Error(`The parameters are not JSON: ${problem instanceof Error ? problem.message : ""}`);
    }
    return this.fetched(url + more, accept);
  }

  /** Text appears as it comes; what was said beside it stands below when all is said. */
  private async hear(answer: Response, began: number): Promise<void> {
    const box = this.part("answer")!;
    box.ariaBusy = "true";
    this.show(answer, " ", 0);
    const text = this.part("text")!;
    text.textContent = "";
    const notes: string[] = [];
    try {
      for await (const one of events(answer)) {
        if (one.name === "token") text.append(String(one.data.text ?? ""));
        else if (one.name === "log") notes.push(String(one.data.text ?? ""));
        else if (one.name === "error") this.failed(one.data);
        else if (one.name === "done") this.done(one.data);
        this.part("time")!.textContent = `${(performance.now() - began).toFixed(0)} ms`;
      }
    } finally {
      box.ariaBusy = "false";
      if (notes.length) text.append(`\n\n— ${notes.join("\n— ")}`);
    }
  }

  private failed(problem: Record<string, unknown>): void {
    const status = this.part("status")!;
    status.dataset.status = "error";
    status.textContent = `${problem.status ?? ""} ${problem.title ?? "It failed"}`.trim();
    this.part("text")!.append(`\n${String(problem.detail ?? "")}`);
  }

  private done(told: Record<string, unknown>): void {
    const usage = told.usage as { input?: number; output?: number } | undefined;
    this.part("units")!.textContent = `${told.model ?? ""}: ${usage?.input ?? 0} tokens in, ${usage?.output ?? 0} out`;
    const run = this.part<HTMLAnchorElement>("run")!;
    run.hidden = !told.execution;
    run.href = (this.form.dataset.runUrl ?? "/runs/") + encodeURIComponent(String(told.execution));
  }

  /** A text that was compiled or written is shown as text, not as JSON. */
  protected override shown(text: string, kind: string): string {
    if (!kind.startsWith("application/json")) return pretty(text, kind);
    const { output, problems = [] } = JSON.parse(text) as { output?: unknown; problems?: Problem[] };
    if (typeof output !== "string") return pretty(text, kind);
    return pretty([output, ...problems.map((one) => `— ${one.file}:${one.line}: ${one.message}`)].join("\n"), "");
  }
}

/** The events of a stream, in their order; comments and unknown fields are skipped. */
async function* events(answer: Response): AsyncGenerator<Heard> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const heard = event(part);
      if (heard) yield heard;
    }
  }
}

function event(part: string): Heard | undefined {
  const lines = part.split("\n").map((line) => line.split(/: ?(.*)/s));
  const name = lines.find(([field]) => field === "event")?.[1];
  const data = lines.filter(([field]) => field === "data").map(([, text]) => text).join("\n");
  return name && data ? { name, data: JSON.parse(data) as Record<string, unknown> } : undefined;
}

export function tryprompt(): void {
  each<HTMLFormElement>("form[data-tryprompt]", (form) => new PromptConsole(form));
}
