// Tables that are wider than their box: a stop of the Tab key while they are, so that arrow keys scroll them.
import { each } from "./dom";

const BOXES = ".table-scroll, .table-card, .market-scroll, .prose table";

export function scrolled(): void {
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target as HTMLElement)));
  each(BOXES, (box) => {
    watch.observe(box);
    if (box.firstElementChild) watch.observe(box.firstElementChild);
    reach(box);
  });

  function reach(element: HTMLElement): void {
    const box = element.closest<HTMLElement>(BOXES);
    if (!box) return;
    const more = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (more) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
