// How values are written as YAML: plain where every reader agrees what it is, quoted otherwise.

const RESOLVED = /^(?:~|null|true|false|yes|no|on|off|y|n|[-+]?(?:\.inf|\.nan)|[-+.]?[0-9][-+0-9_.:,eExXoOa-fA-FTtZz ]*|<<|=)$/i;
const SAFE = /^[^\s\-?:,[\]{}#&*!|>'"%@`=<~][^\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff]*$/;
const ODD = /[\x7f-\xa0\u2028\u2029\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const UNICODE_PAIR = /^[^\s\-?:,[\]{}#&*!|>'"%@`=<~](?:[^\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff]|[\ud800-\udbff][\udc00-\udfff])*$/;
const LITERAL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]/;

export type Style = "plain" | "single" | "double" | "block";

export function quoted(text: string): string {
  return JSON.stringify(text).replace(ODD, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function isPlain(text: string, inFlow: boolean): boolean {
  if (!(SAFE.test(text) || UNICODE_PAIR.test(text)) || RESOLVED.test(text)) return false;
  if (/: |:$| #|\s$/.test(text)) return false;
  return !inFlow || !/[,[\]{}]|:(?=\S)/.test(text) || (/^[^,[\]{}]*$/.test(text) && !/:["']/.test(text));
}

/** A string on one line, in the style asked for where that style can hold it. */
export function stringText(text: string, inFlow = false, style: Style = "plain"): string {
  if (style === "double" || /[\n\r\t]/.test(text)) return quoted(text);
  if (style === "single" && !ODD.test(text) && !LITERAL.test(text)) return `'${text.replace(/'/g, "''")}'`;
  ODD.lastIndex = 0;
  return isPlain(text, inFlow) ? text : quoted(text);
}

export function scalarText(value: unknown, inFlow = false, style: Style = "plain"): string {
  if (typeof value === "string") return stringText(value, inFlow, style);
  if (value === null || value === undefined) return "null";
  if (typeof value === "number" && !Number.isFinite(value)) return Number.isNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
  return typeof value === "number" ? number(value) : String(value);
}

/** YAML 1.1 knows an exponent only behind a point. */
function number(value: number): string {
  return String(value).replace(/^(-?\d+)e/, "$1.0e");
}

/** A value in one line; `json` quotes all strings and keys, as the text around does. */
export function flowText(value: unknown, json = false): string {
  const style: Style = json ? "double" : "plain";
  if (Array.isArray(value)) return `[${value.map((one) => flowText(one, json)).join(", ")}]`;
  if (isMap(value)) {
    const pairs = Object.entries(value).filter(([, one]) => one !== undefined);
    return `{${pairs.map(([key, one]) => `${stringText(key, true, style)}: ${flowText(one, json)}`).join(", ")}}`;
  }
  return scalarText(value, true, style);
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const WIDE = 100;

/** What follows `key:` in a block mapping whose keys stand in this column; begins with a space or a line break. */
export function blockText(value: unknown, column: number, step = 2): string {
  if (typeof value === "string" && value.includes("\n")) return literal(value, column, step);
  if (!isMap(value) && !Array.isArray(value)) return " " + scalarText(value);
  const short = flowText(value);
  if (isSmall(value) && short.length + column < WIDE) return " " + short;
  const pad = " ".repeat(column + step);
  if (Array.isArray(value)) return "\n" + value.map((one) => pad + "-" + itemText(one, column + step, step)).join("\n");
  return "\n" + pairsText(value, column + step, step);
}

/** The lines `key: value` of a mapping, the first one indented too. */
export function pairsText(value: Record<string, unknown>, column: number, step = 2): string {
  const pairs = Object.entries(value).filter(([, one]) => one !== undefined);
  return pairs.map(([key, one]) => `${" ".repeat(column)}${stringText(key)}:${blockText(one, column, step)}`).join("\n");
}

/** What follows the dash of a list whose dashes stand in this column. */
export function itemText(value: unknown, column: number, step = 2): string {
  if (typeof value === "string" && value.includes("\n")) return literal(value, column, step);
  if (!isMap(value) || Object.keys(value).length === 0) return " " + flowText(value);
  const short = flowText(value);
  if (isSmall(value) && short.length + column < WIDE && Object.keys(value).length <= 2) return " " + short;
  return " " + pairsText(value, column + 2, step).trimStart();
}

function isSmall(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((one) => !isMap(one) && !Array.isArray(one) && !String(one).includes("\n"));
  if (!isMap(value)) return true;
  const all = Object.values(value);
  return all.length === 0 || (all.length <= 2 && all.every((one) => isSmall(one) && !isMap(one) && !Array.isArray(one) && String(one).length <= 40));
}

function literal(text: string, column: number, step: number): string {
  const body = text.replace(/\n+$/, "");
  const tail = text.length - body.length;
  if (!body || LITERAL.test(text) || /^[ \t\n]/.test(text) || /[ \t](\n|$)/.test(text)) return " " + quoted(text);
  if (tail > 1) return " " + quoted(text);
  const pad = " ".repeat(column + step);
  const lines = body.split("\n").map((line) => (line === "" ? "" : pad + line));
  return ` |${tail === 0 ? "-" : ""}\n${lines.join("\n")}`;
}
