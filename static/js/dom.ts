// How behaviours find their elements: on load, and in whatever htmx swaps in later.

/** Runs `attach` once for each element that matches, now and after every htmx swap. */
export function each<T extends HTMLElement>(selector: string, attach: (element: T) => void): void {
  const seen = new WeakSet<Element>();
  const scan = (root: ParentNode): void => {
    const own = root instanceof Element && root.matches(selector) ? [root] : [];
    for (const element of [...own, ...root.querySelectorAll(selector)]) {
      if (seen.has(element)) continue;
      seen.add(element);
      attach(element as T);
    }
  };
  scan(document);
  document.addEventListener("htmx:load", (event) => scan(event.target as HTMLElement));
}

/** Listens once on the document for clicks on (or inside) elements that match. */
export function onClick(selector: string, act: (element: HTMLElement, event: MouseEvent) => void): void {
  document.addEventListener("click", (event) => {
    const found = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
    if (found) act(found, event);
  });
}
