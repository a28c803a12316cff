// `steps.NAME` inside expressions: found as the expression language reads it, not as letters that look alike.

export interface StepChange {
  from: string;
  to: string;
  /** The whole text is one expression; otherwise only what stands in ${…}. */
  bare: boolean;
  /** What names in brackets are quoted with. */
  quote: string;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function stepsRenamed(text: string, change: StepChange): string {
  if (change.bare) return expression(text, change);
  let out = "";
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("${", at);
    if (open < 0) return out + text.slice(at);
    const close = closing(text, open + 2);
    const literal = open > 0 && text[open - 1] === "$";
    const inner = text.slice(open + 2, close);
    out += text.slice(at, open + 2) + (literal ? inner : expression(inner, change));
    at = close;
  }
  return out;
}

/** The brace that ends `${`, past strings and inner braces. */
function closing(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"' || char === "'") at = stringEnd(text, at) - 1;
    else if (char === "{") depth += 1;
    else if (char === "}" && depth-- === 0) return at;
  }
  return text.length;
}

/** Just after a string of the expression. */
function stringEnd(text: string, at: number): number {
  const quote = text[at];
  for (let next = at + 1; next < text.length; next += 1) {
    if (text[next] === "\\") next += 1;
    else if (text[next] === quote) return next + 1;
  }
  return text.length;
}

function expression(text: string, change: StepChange): string {
  let out = "";
  for (let at = 0; at < text.length; ) {
    const char = text[at]!;
    if (char === '"' || char === "'") {
      const end = stringEnd(text, at);
      out += text.slice(at, end);
      at = end;
      continue;
    }
    const word = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at, at + 200))?.[0];
    if (!word) {
      out += char;
      at += 1;
      continue;
    }
    const isRoot = word === "steps" && !/[.$\w]\s*$/.test(text.slice(Math.max(0, at - 20), at));
    const found = isRoot ? member(text, at + word.length, change) : null;
    out += found ? word + found.text : word;
    at = found ? found.end : at + word.length;
  }
  return out;
}

/** `.NAME` or `["NAME"]` after `steps`, when it is the one. */
function member(text: string, at: number, { from, to, quote }: StepChange): { text: string; end: number } | null {
  const rest = text.slice(at, at + 300);
  const dotted = /^(\s*\.\s*)([A-Za-z_][A-Za-z0-9_]*)/.exec(rest);
  if (dotted) {
    if (dotted[2] !== from) return null;
    const written = IDENTIFIER.test(to) ? dotted[1] + to : `[${quote}${to}${quote}]`;
    return { text: written, end: at + dotted[0].length };
  }
  const keyed = /^(\s*\[\s*)(["'])([^"'\\]*)(["'])(\s*\])/.exec(rest);
  if (!keyed || keyed[3] !== from || keyed[2] !== keyed[4]) return null;
  return { text: keyed[1]! + keyed[2] + to + keyed[4] + keyed[5], end: at + keyed[0].length };
}
