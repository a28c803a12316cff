// data-confirm="question": asks in our own dialog before a form is sent or an htmx request leaves.

function ask(question: string, verb: string): Promise<boolean> {
  const box = document.getElementById("confirm");
  if (!(box instanceof HTMLDialogElement)) return Promise.resolve(window.confirm(question));
  box.querySelector("[data-confirm-text]")!.textContent = question;
  box.querySelector("[data-confirm-yes]")!.textContent = verb;
  box.returnValue = "";
  box.showModal();
  return new Promise((done) => {
    box.addEventListener("close", () => done(box.returnValue === "yes"), { once: true });
  });
}

const agreed = new WeakSet<HTMLFormElement>();

async function onSubmit(event: SubmitEvent): Promise<void> {
  const form = event.target as HTMLFormElement;
  const asks = event.submitter?.closest<HTMLElement>("[data-confirm]") ?? form.closest<HTMLElement>("form[data-confirm]");
  if (!asks || agreed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const submitter = event.submitter;
  if (!(await ask(asks.dataset.confirm ?? "", asks.dataset.confirmVerb ?? "Go on"))) return;
  agreed.add(form);
  form.requestSubmit(submitter);
}

interface HtmxConfirm {
  question: string | null;
  elt: HTMLElement;
  issueRequest: (skip: boolean) => void;
}

export function confirm(): void {
  document.addEventListener("submit", (event) => void onSubmit(event), { capture: true });
  document.addEventListener("htmx:confirm", (event) => {
    const detail = (event as CustomEvent<HtmxConfirm>).detail;
    if (!detail.question) return;
    event.preventDefault();
    void ask(detail.question, detail.elt.dataset.confirmVerb ?? "Go on").then((yes) => yes && detail.issueRequest(true));
  });
}
