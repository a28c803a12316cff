// Where the keyboard goes next. One wish at a time: what was asked for last wins, and a pointer takes every wish back.

const TRIES = 60;
const PAUSE = 16; // ms: what is asked for may have to be loaded and drawn first

let last = 0;
addEventListener("pointerdown", () => void (last += 1), true);

/** Puts the focus on what `selector` finds, now or as soon as it is drawn; the text of an input is chosen with it. */
export function focusSoon(selector: string): void {
  last += 1;
  if (!reached(selector)) leave();
  later(selector, last, TRIES, 0); // once more: a dialog that closes in this turn gives the focus back to its opener
}

/** Keys that are pressed meanwhile are commands, not text of the field that was left. */
function leave(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/** Puts the keyboard's focus on a node, so that its keys work at once. */
export function focusNode(id: string): void {
  focusSoon(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
}

/** Puts the keyboard's focus on something of the inspector of one node, not of the one that was there before. */
export function focusInspector(id: string, selector: string): void {
  focusSoon(`.ed-inspector[data-node="${CSS.escape(id)}"] ${selector}`);
}

function later(selector: string, wish: number, tries: number, ms: number): void {
  setTimeout(() => {
    if (wish === last && !reached(selector) && tries) later(selector, wish, tries - 1, PAUSE);
  }, ms);
}

/** Whether it took the focus: a node that is not measured yet is hidden, and refuses it. */
function reached(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  if (!element) return false;
  element.focus();
  if (element instanceof HTMLInputElement) element.select();
  return element.contains(document.activeElement);
}
