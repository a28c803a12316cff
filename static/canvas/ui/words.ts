// Figures and values as people read them.
export function duration(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 1 : 0)} ms`;
  return `${(microseconds / 1_000_000).toFixed(1)} s`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A value as JSON on several lines; what is JSON text already is read first. */
export function pretty(value: unknown): string {
  if (value === undefined || value === null) return value === null ? "null" : "";
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

/** The value behind a step's recorded text; the text itself where it was cut. */
export function plain(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

export function errorText(error: unknown): string {
  if (!error) return "";
  if (typeof error === "string") return error;
  const { code, message } = error as { code?: string; message?: string };
  return [code, message].filter(Boolean).join(": ");
}
