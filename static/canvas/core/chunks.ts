// Cuts a text at the items of `listeners`, so that a keystroke reads one listener anew and not a thousand.

export interface Chunks {
  /** Where the lines of the list begin and end. */
  start: number;
  end: number;
  /** Where the line of each dash begins; the first one is also where comments above it end. */
  items: number[];
  indent: number;
}

const KEY = /^(?:listeners|"listeners"|'listeners')[ \t]*:[ \t]*(?:#.*)?\r?$/gm;
const MARKS = /^(?:---|\.\.\.)(?:\s|$)|^%/m;
const HASH = 35;
const DASH = 45;
const SPACE = 32;

/** Null when the text is not of the usual shape: it is then read as a whole. */
export function chunksOf(text: string): Chunks | null {
  KEY.lastIndex = 0;
  const key = KEY.exec(text);
  if (!key || KEY.exec(text)) return null;
  const begin = text.indexOf("\n", key.index) + 1;
  if (begin === 0 || MARKS.test(text)) return null;
  return walk(text, begin);
}

function walk(text: string, begin: number): Chunks | null {
  const items: number[] = [];
  let indent = -1;
  let end = text.length;
  let quiet = begin; // where the comments begin that stand after the last item
  for (let at = begin; at < text.length; ) {
    const next = lineAfter(text, at);
    const first = content(text, at, next);
    if (first >= 0 && text.charCodeAt(first) !== HASH) {
      const column = first - at;
      const dash = isDash(text, first);
      if (indent < 0) {
        if (!dash) return null;
        indent = column;
      }
      if (column === indent && dash) items.push(at);
      else if (column === 0) {
        end = quiet;
        break;
      } else if (column <= indent) return null;
      quiet = next;
    } else if (first - at > indent && indent >= 0) {
      quiet = next; // deeper than the dash: it may stand in a text of several lines
    } else if (first < 0 && quiet === at) {
      quiet = next;
    }
    at = next;
  }
  return items.length ? { start: begin, end, items, indent } : null;
}

function lineAfter(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

function content(text: string, at: number, next: number): number {
  let place = at;
  while (place < next && text.charCodeAt(place) === SPACE) place += 1;
  if (place >= next) return -1;
  const code = text.charCodeAt(place);
  return code === 10 || code === 13 ? -1 : place;
}

function isDash(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== DASH) return false;
  const after = text.charCodeAt(at + 1);
  return Number.isNaN(after) || after === SPACE || after === 10 || after === 13 || after === 9;
}
