// Forms are sent once: not twice by a double click, and not again when the page that answered is reloaded.
const PAUSE_MS = 2000;

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  // A download leaves the page where it is, and going back brings it back: the form works again.
  setTimeout(() => delete form.dataset.sent, PAUSE_MS);
}

export function forms(): void {
  document.addEventListener("submit", onSubmit);
  // What is shown this once answers a POST: a reload must fetch the page and not make another one.
  if (document.querySelector("[data-once]")) history.replaceState(null, "", location.href);
}
