// data-drawer="id": opens the sidebar on a phone, keeps the focus in it, closes on Escape, on the veil and on a link.
import { onClick } from "./dom";

let opener: HTMLElement | null = null;

function current(): HTMLElement | null {
  return document.querySelector<HTMLElement>("[data-drawer-panel][data-open]");
}

function close(): void {
  const panel = current();
  if (!panel) return;
  delete panel.dataset.open;
  veil(true);
  rest(false);
  opener?.setAttribute("aria-expanded", "false");
  opener?.focus();
}

function veil(hidden: boolean): void {
  const found = document.querySelector<HTMLElement>("[data-drawer-veil]");
  if (found) found.hidden = hidden;
}

/** Everything beside the drawer cannot be reached while it is open. */
function rest(inert: boolean): void {
  document.querySelectorAll<HTMLElement>("[data-drawer-rest]").forEach((part) => (part.inert = inert));
}

function open(button: HTMLElement): void {
  const panel = document.getElementById(button.dataset.drawer ?? "");
  if (!panel) return;
  opener = button;
  panel.dataset.open = "";
  veil(false);
  rest(true);
  button.setAttribute("aria-expanded", "true");
  panel.querySelector<HTMLElement>("a, button")?.focus();
}

export function drawer(): void {
  onClick("[data-drawer]", open);
  onClick("[data-drawer-veil], [data-drawer-close]", close);
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  matchMedia("(width >= 64rem)").addEventListener("change", close);
}
