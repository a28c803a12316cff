// Edits of a text by place: what is not in a splice is not touched.

export interface Splice { start: number; end: number; text: string }

/** All at once, by places of the same text. Splices at one place go in in the order they were made. */
export function splice(text: string, edits: readonly Splice[]): string {
  const sorted = edits.map((edit, index) => ({ edit, index })).sort((a, b) => a.edit.start - b.edit.start || a.edit.end - b.edit.end || a.index - b.index);
  const eol = eolOf(text);
  const parts: string[] = [];
  let at = 0;
  for (const { edit } of sorted) {
    const isTaken = edit.start < at; // inside of what another one already replaced: what is left of it goes too
    if (!isTaken) parts.push(text.slice(at, edit.start), eol === "\n" ? edit.text : edit.text.replace(/\r?\n/g, eol));
    at = Math.max(at, edit.end);
  }
  const made = parts.join("") + text.slice(at);
  return text.endsWith("\n") ? made : made.replace(/\r?\n$/, ""); // a missing final newline stays missing
}

export function eolOf(text: string): string {
  const first = text.indexOf("\n");
  return first > 0 && text[first - 1] === "\r" ? "\r\n" : "\n";
}

export function lineStart(text: string, at: number): number {
  return at <= 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
}

/** Just after the line's end; the length of the text on a last line without one. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

export function columnOf(text: string, at: number): number {
  return at - lineStart(text, at);
}

export const isBlank = (line: string): boolean => line.trim() === "";
export const isComment = (line: string): boolean => line.trimStart().startsWith("#");

export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** New lines at a place between lines; a text without a final newline stays one. */
export function insertLines(text: string, at: number, lines: string): Splice {
  const body = lines.endsWith("\n") ? lines.slice(0, -1) : lines;
  const open = at > 0 && text[at - 1] !== "\n";
  if (open) return { start: at, end: at, text: "\n" + body };
  return { start: at, end: at, text: body + "\n" };
}

/** A copy that does not keep the large text alive it was cut from. */
export function detached(text: string): string {
  return (" " + text).slice(1);
}

export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

export function placeOf(starts: readonly number[], at: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - starts[low]! + 1 };
}
