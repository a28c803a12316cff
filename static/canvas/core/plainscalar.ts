// What an unquoted text is, by the rules of the server's loader (YAML 1.1 as PyYAML reads it, bundles/scalars.py).
const LONGEST = 40;
const INT = /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT = /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;
const WORDS: Record<string, boolean | null> = { yes: true, true: true, on: true, no: false, false: false, off: false, null: null };
/** Words are known in these three spellings alone. */
const SPELT = /^(?:[a-z]+|[A-Z][a-z]+|[A-Z]+)$/;

/** Infinity, a day or a number that no field can hold stays a text, as it does on the server, which tells the problem. */
export function resolved(text: string): unknown {
  if (text === "" || text === "~") return null;
  const word = SPELT.test(text) ? text.toLowerCase() : "";
  if (word && Object.hasOwn(WORDS, word)) return WORDS[word];
  if (text.length > LONGEST || !/[0-9]/.test(text)) return text;
  if (FLOAT.test(text)) return floating(text);
  return INT.test(text) ? whole(text) : text;
}

function floating(text: string): number | string {
  const { sign, digits } = parts(text);
  const value = sign * (digits.includes(":") ? base60(digits) : Number(digits));
  return Number.isFinite(value) ? value : text;
}

/** Beyond what a number here can hold exactly it is told as a bigint. */
function whole(text: string): number | bigint | string {
  const { sign, digits } = parts(text);
  const found = digits.includes(":") ? BigInt(base60(digits)) : BigInt(written(digits));
  const value = sign < 0 ? -found : found;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** As BigInt reads it: 017 is octal here, and 0o17 there. */
function written(digits: string): string {
  return /^0[0-7]+$/.test(digits) ? `0o${digits}` : digits;
}

function parts(text: string): { sign: number; digits: string } {
  return { sign: text.startsWith("-") ? -1 : 1, digits: text.replace(/^[-+]/, "").replaceAll("_", "").toLowerCase() };
}

function base60(digits: string): number {
  return digits.split(":").reduce((total, part) => total * 60 + Number(part), 0);
}
