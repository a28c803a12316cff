// <time datetime data-local>: shows the reader's local time, with data-local="time" without the date, with "ago" how long ago; UTC stays in the title.
import { each } from "./dom";

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
];

function ago(date: Date): string {
  let amount = (date.getTime() - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
    amount /= size;
  }
  return relative.format(Math.round(amount), "year");
}

function show(element: HTMLTimeElement): void {
  const date = new Date(element.dateTime);
  if (Number.isNaN(date.getTime())) return;
  element.title = `${full.format(date)} · ${date.toISOString()}`;
  const kind = element.dataset.local;
  element.textContent = kind === "ago" ? ago(date) : (kind === "time" ? clock : full).format(date);
}

export function localtime(): void {
  each<HTMLTimeElement>("time[data-local]", show);
  setInterval(() => document.querySelectorAll<HTMLTimeElement>("time[data-local=ago]").forEach(show), 15_000);
}
