// data-dialog="id" opens a <dialog>, data-dialog-close closes the one around it; a click beside it closes it too.
import { onClick } from "./dom";

function open(id: string): void {
  const found = document.getElementById(id);
  if (found instanceof HTMLDialogElement && !found.open) found.showModal();
}

export function dialog(): void {
  onClick("[data-dialog]", (button, event) => {
    event.preventDefault();
    open(button.dataset.dialog ?? "");
  });
  onClick("[data-dialog-close]", (button) => button.closest("dialog")?.close());
  onClick("dialog", (element, event) => {
    if (event.target === element) (element as HTMLDialogElement).close();
  });
  // A page can be linked with its dialog open, such as /bundles#add.
  if (location.hash) open(location.hash.slice(1));
}
