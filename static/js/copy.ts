// data-copy="text" or data-copy-from="#id": copies to the clipboard and says so on the button for a moment.
import { onClick } from "./dom";
import { toast } from "./toast";

function text(button: HTMLElement): string {
  const from = button.dataset.copyFrom;
  const source = from ? document.querySelector(from) : null;
  if (source instanceof HTMLInputElement || source instanceof HTMLTextAreaElement) return source.value;
  return source?.textContent ?? button.dataset.copy ?? "";
}

export function copy(): void {
  onClick("[data-copy], [data-copy-from]", (button) => {
    navigator.clipboard.writeText(text(button)).then(
      () => {
        button.dataset.copied = "";
        toast("Copied to the clipboard", "success");
        setTimeout(() => delete button.dataset.copied, 1500);
      },
      () => toast("The browser refused to copy. Select the text and copy it by hand.", "error"),
    );
  });
}
