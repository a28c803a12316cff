// Toasts: those the server put into #toaster, those behaviours make, and answers that htmx could not use.

type Kind = "success" | "error" | "info" | "warning";
const LIFE: Record<Kind, number> = { success: 4000, info: 5000, warning: 8000, error: 10000 };

function close(element: HTMLElement): void {
  element.setAttribute("aria-hidden", "true");
  setTimeout(() => element.remove(), 300);
}

function live(element: HTMLElement): void {
  const kind = (element.dataset.category ?? "info") as Kind;
  let timer = setTimeout(() => close(element), LIFE[kind] ?? LIFE.info);
  element.addEventListener("mouseenter", () => clearTimeout(timer));
  element.addEventListener("mouseleave", () => (timer = setTimeout(() => close(element), 2000)));
  element.querySelector("[data-toast-close]")?.addEventListener("click", () => close(element));
}

export function toast(text: string, kind: Kind = "info"): void {
  const toaster = document.getElementById("toaster");
  const model = document.getElementById("toast-model");
  if (!toaster || !(model instanceof HTMLTemplateElement)) return;
  const element = (model.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
  element.dataset.category = kind;
  element.setAttribute("role", kind === "error" ? "alert" : "status");
  element.querySelector("h2")!.textContent = text;
  toaster.append(element);
  live(element);
}

function failure(event: Event): void {
  const xhr = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail.xhr;
  let text = `The server answered ${xhr.status}. Nothing was changed.`;
  try {
    const problem = JSON.parse(xhr.responseText) as { title?: string; detail?: string };
    text = problem.detail || problem.title || text;
  } catch {
    // Not problem+json: the general sentence stands.
  }
  toast(text, "error");
}

export function toasts(): void {
  document.querySelectorAll<HTMLElement>("#toaster > .toast").forEach(live);
  document.addEventListener("htmx:responseError", failure);
  document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Try again in a moment.", "error"));
  document.addEventListener("toast", (event) => {
    const detail = (event as CustomEvent<{ text?: string; kind?: Kind }>).detail;
    toast(detail.text ?? "", detail.kind);
  });
}
