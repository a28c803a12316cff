// Requests to the product's own API: the session's cookie, the page's CSRF token, problems as errors.

export interface Problem {
  severity: "error" | "warning";
  file?: string;
  line: number;
  column: number;
  message: string;
  hint?: string;
}

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
  ) {
    super(String(body.detail || body.title || `The server answered ${status}.`));
  }
}

export interface Answer<T> {
  body: T;
  etag: string;
}

function token(): string {
  const told = document.body.getAttribute("hx-headers");
  try {
    return told ? String((JSON.parse(told) as Record<string, string>)["X-CSRFToken"] ?? "") : "";
  } catch {
    return "";
  }
}

export async function ask<T>(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const sent: Record<string, string> = { Accept: "application/json", "X-CSRFToken": token(), ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused(0, { title: "The server cannot be reached. Nothing is lost here: try again in a moment." });
  }
  return read<T>(response);
}

async function read<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const body = parsed(text);
  if (!response.ok) throw new Refused(response.status, (body && typeof body === "object" ? body : {}) as Record<string, unknown>);
  return { body: body as T, etag: response.headers.get("ETag") ?? "" };
}

function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return text;
  }
}

export async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Refused(response.status, {});
  return response.text();
}
