// Rows of tabs on a narrow screen, and the long list of the docs, begin where the current one is seen.
import { each } from "./dom";

export function pagetabs(): void {
  each(".page-tabs [aria-current=page]", (tab) => {
    const row = tab.parentElement;
    if (row) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.clientWidth) / 2;
  });
  each(".docs-side [aria-current=page]", (link) => {
    const side = link.closest<HTMLElement>(".docs-side");
    if (side) side.scrollTop += link.getBoundingClientRect().top - side.getBoundingClientRect().top - side.clientHeight / 2;
  });
}
