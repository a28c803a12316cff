// data-editor: line numbers beside a textarea; #L12 in the address goes to that line; leaving with changes asks first.
import { each } from "./dom";

function numbers(count: number): string {
  return Array.from({ length: count }, (_, index) => index + 1).join("\n");
}

function goTo(text: HTMLTextAreaElement): void {
  const line = Number(/^#L(\d+)/.exec(location.hash)?.[1] ?? 0);
  const lines = text.value.split("\n");
  if (line < 1 || line > lines.length) return;
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  const height = parseFloat(getComputedStyle(text).lineHeight) || 20;
  text.scrollTop = Math.max(0, (line - 1) * height - text.clientHeight / 3);
}

function attach(editor: HTMLElement): void {
  const text = editor.querySelector<HTMLTextAreaElement>("[data-editor-text]");
  const gutter = editor.querySelector<HTMLElement>("[data-editor-lines]");
  if (!text || !gutter) return;
  const before = text.defaultValue;
  let shown = 0;
  const draw = (): void => {
    const count = text.value.split("\n").length;
    if (count !== shown) gutter.textContent = numbers((shown = count));
    gutter.scrollTop = text.scrollTop;
  };
  let sending = false;
  text.form?.addEventListener("submit", () => (sending = true));
  text.addEventListener("input", draw);
  text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));
  window.addEventListener("hashchange", () => goTo(text));
  window.addEventListener("beforeunload", (event) => {
    if (!sending && text.value !== before) event.preventDefault();
  });
  draw();
  goTo(text);
}

export function editor(): void {
  each("[data-editor]", attach);
}
