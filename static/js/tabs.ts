// data-tabs: a [role=tablist] whose tabs show the panel named by aria-controls; arrows, Home and End move.
import { each } from "./dom";

function select(tabs: HTMLElement[], chosen: HTMLElement): void {
  for (const tab of tabs) {
    const on = tab === chosen;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
    if (panel) panel.hidden = !on;
  }
}

function target(key: string, index: number, count: number): number {
  const moves: Record<string, number> = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: count - 1 };
  const next = moves[key];
  return next === undefined ? -1 : (next + count) % count;
}

function attach(root: HTMLElement): void {
  const tabs = [...root.querySelectorAll<HTMLElement>("[role=tab]")];
  const named = tabs.find((tab) => location.hash && tab.dataset.hash === location.hash.slice(1));
  const first = named ?? tabs.find((tab) => tab.getAttribute("aria-selected") === "true") ?? tabs[0];
  if (!first) return;
  select(tabs, first);
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => {
      select(tabs, tab);
      if (tab.dataset.hash) history.replaceState(null, "", `#${tab.dataset.hash}`);
    });
    tab.addEventListener("keydown", (event) => {
      const next = tabs[target(event.key, index, tabs.length)];
      if (!next) return;
      event.preventDefault();
      next.click();
      next.focus();
    });
  }
}

export function tabs(): void {
  each("[data-tabs]", attach);
}
