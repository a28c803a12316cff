// data-theme-toggle: switches between light and dark and remembers it; without a choice the system's is followed.
import { onClick } from "./dom";

const system = matchMedia("(prefers-color-scheme: dark)");

function show(dark: boolean): void {
  document.documentElement.classList.toggle("dark", dark);
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.setAttribute("aria-pressed", String(dark));
  }
}

export function theme(): void {
  show(document.documentElement.classList.contains("dark"));
  onClick("[data-theme-toggle]", () => {
    const dark = !document.documentElement.classList.contains("dark");
    localStorage.setItem("theme", dark ? "dark" : "light");
    show(dark);
  });
  system.addEventListener("change", (event) => {
    if (!localStorage.getItem("theme")) show(event.matches);
  });
}
