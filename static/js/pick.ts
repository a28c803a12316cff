// A box that ticks all boxes of a name, and a line that says how many are ticked.
export function pick(): void {
  document.addEventListener("change", (event) => {
    const box = event.target as HTMLInputElement;
    if (box.type !== "checkbox") return;
    const name = box.dataset.pickAll ?? box.name;
    const line = document.querySelector<HTMLElement>(`[data-picked="${CSS.escape(name)}"]`);
    if (!name || !line) return;
    const boxes = [...document.querySelectorAll<HTMLInputElement>(`input[type=checkbox][name="${CSS.escape(name)}"]`)];
    if (box.dataset.pickAll) for (const one of boxes) one.checked = box.checked;
    const count = boxes.filter((one) => one.checked).length;
    line.dataset.none ??= line.textContent ?? "";
    line.textContent = count ? `${count} chosen` : line.dataset.none;
  });
}
