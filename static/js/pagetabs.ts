// .page-tabs: on a narrow screen the row of tabs begins where the current one is seen.
import { each } from "./dom";

export function pagetabs(): void {
  each(".page-tabs [aria-current=page]", (tab) => {
    const row = tab.parentElement;
    if (row) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.clientWidth) / 2;
  });
}
