// form[data-reserve]: times in the browser's own zone, and in words what is about to be reserved.
import { each } from "./dom";

function part(form: HTMLFormElement, name: string): HTMLInputElement | null {
  return form.querySelector<HTMLInputElement>(`[name=${name}]`);
}

/** What the server proposed in UTC, as the clock on the wall shows it. */
function local(value: string): string {
  const date = new Date(`${value}Z`);
  if (Number.isNaN(date.getTime())) return value;
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function own(form: HTMLFormElement): void {
  const zone = part(form, "zone");
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // After a refusal the form holds what was typed; only the first proposal is put into this zone.
  if (!zone || !mine || zone.value !== zone.defaultValue || zone.value !== "UTC" || form.querySelector("[data-invalid]")) return;
  for (const name of ["start", "end"]) {
    const field = part(form, name);
    if (field) field.value = local(field.value);
  }
  zone.value = mine;
}

function minutes(form: HTMLFormElement): number {
  const [start, end] = ["start", "end"].map((name) => Date.parse(`${part(form, name)?.value ?? ""}Z`));
  return ((end ?? NaN) - (start ?? NaN)) / 60_000;
}

function say(form: HTMLFormElement): void {
  const sum = form.querySelector<HTMLElement>("[data-reserve-sum]");
  const credits = Number(part(form, "credits")?.value);
  const rate = Number(form.dataset.rate);
  if (!sum || !(credits >= 1) || !Number.isInteger(credits)) return;
  const length = minutes(form);
  const window = Number.isNaN(length) ? "" : length > 0 ? `, to be used within ${span(length)} by the clock` : "; the end has to come after the start";
  const held = Number(form.dataset.balance);
  const more = credits > held ? ` You have ${held.toLocaleString("en")}.` : "";
  sum.textContent = `${credits.toLocaleString("en")} credit${credits === 1 ? "" : "s"} = ${(credits * rate).toLocaleString("en")} CU${window}.${more}`;
}

function span(length: number): string {
  if (length >= 2880) return `${Math.round(length / 1440).toLocaleString("en")} days`;
  const [hours, rest] = [Math.floor(length / 60), Math.round(length % 60)];
  const parts = [hours ? `${hours} h` : "", rest ? `${rest} min` : ""].filter(Boolean);
  return parts.join(" ") || "less than a minute";
}

export function reserve(): void {
  each<HTMLFormElement>("form[data-reserve]", (form) => {
    own(form);
    say(form);
    form.addEventListener("input", () => say(form));
  });
}
