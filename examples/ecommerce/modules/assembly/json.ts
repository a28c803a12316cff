// JSON as bytes: a value is read where it lies, no tree is built, so a call costs a few fuel per byte.
// Reading never traps: what is absent is NOTHING.

export const QUOTE: u8 = 0x22;
export const BACKSLASH: u8 = 0x5c;

@inline
export function byte(at: usize): u8 {
  return load<u8>(at);
}

export function skipSpace(at: usize, end: usize): usize {
  while (at < end && byte(at) <= 0x20) at++;
  return at;
}

const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

/** The lowest bit set here belongs to the first of eight bytes that is a quote or a backslash. */
@inline
function marks(eight: u64): u64 {
  const quotes = eight ^ (ONES * 0x22);
  const slashes = eight ^ (ONES * 0x5c);
  return (((quotes - ONES) & ~quotes) | ((slashes - ONES) & ~slashes)) & HIGHS;
}

/** From an opening quote to just behind the closing one. */
export function skipString(at: usize, end: usize): usize {
  at++;
  while (at < end) {
    if (at + 8 <= end) {
      const found = marks(load<u64>(at));
      if (found == 0) {
        at += 8;
        continue;
      }
      at += <usize>(ctz(found) >> 3);
    }
    const c = byte(at);
    if (c == QUOTE) return at + 1;
    at += c == BACKSLASH ? 2 : 1;
  }
  return end;
}

/** From `{` or `[` to just behind the bracket that closes it. */
function skipNest(at: usize, end: usize): usize {
  let depth = 0;
  while (at < end) {
    const c = byte(at);
    if (c == QUOTE) {
      at = skipString(at, end);
      continue;
    }
    at++;
    const low = c | 0x20; // `[` and `{`, `]` and `}` differ in this bit alone
    if (low == 0x7b) depth++;
    else if (low == 0x7d && --depth == 0) return at;
  }
  return end;
}

export function skipValue(at: usize, end: usize): usize {
  const c = byte(at);
  if (c == QUOTE) return skipString(at, end);
  if ((c | 0x20) == 0x7b) return skipNest(at, end);
  while (at < end) {
    const d = byte(at);
    if (d == 0x2c || (d | 0x20) == 0x7d || d <= 0x20) return at;
    at++;
  }
  return end;
}

/** Does the ASCII name stand between these two addresses? */
function same(at: usize, end: usize, name: string): bool {
  const length = name.length;
  if (end - at != <usize>length) return false;
  for (let i = 0; i < length; i++) {
    if (<i32>byte(at + i) != name.charCodeAt(i)) return false;
  }
  return true;
}

/** One JSON value inside a larger text. */
export class Json {
  constructor(public at: usize, public end: usize) {}

  get exists(): bool {
    return this.at < this.end;
  }

  private starts(c: u8): bool {
    return this.at < this.end && byte(this.at) == c;
  }

  get isObject(): bool {
    return this.starts(0x7b);
  }

  get isArray(): bool {
    return this.starts(0x5b);
  }

  get isString(): bool {
    return this.starts(QUOTE);
  }

  get isTrue(): bool {
    return this.starts(0x74);
  }

  /** An integer without exponent or fraction, small enough for exact cents. */
  get isInteger(): bool {
    let at = this.at;
    if (this.starts(0x2d)) at++;
    if (at >= this.end || this.end - at > 15) return false;
    for (; at < this.end; at++) {
      if (<u32>(byte(at) - 0x30) > 9) return false;
    }
    return true;
  }

  get(name: string): Json {
    if (!this.isObject) return NOTHING;
    const end = this.end;
    let at = skipSpace(this.at + 1, end);
    while (at < end && byte(at) == QUOTE) {
      const after = skipString(at, end);
      const found = same(at + 1, after - 1, name);
      at = skipSpace(after, end) + 1; // the colon
      at = skipSpace(at, end);
      if (at >= end) break;
      const stop = skipValue(at, end);
      if (found) return new Json(at, stop);
      at = skipSpace(stop, end);
      if (at < end && byte(at) == 0x2c) at = skipSpace(at + 1, end);
    }
    return NOTHING;
  }

  items(): Json[] {
    const found: Json[] = [];
    if (!this.isArray) return found;
    const end = this.end - 1;
    let at = skipSpace(this.at + 1, end);
    while (at < end) {
      const stop = skipValue(at, end);
      found.push(new Json(at, stop));
      at = skipSpace(stop, end);
      if (at < end && byte(at) == 0x2c) at = skipSpace(at + 1, end);
      else break;
    }
    return found;
  }

  int(otherwise: i64 = 0): i64 {
    if (!this.isInteger) return otherwise;
    let at = this.at;
    const negative = byte(at) == 0x2d;
    if (negative) at++;
    let sum: i64 = 0;
    for (; at < this.end; at++) sum = sum * 10 + (byte(at) - 0x30);
    return negative ? -sum : sum;
  }

  /** The text of a string, the digits of a number; "" when there is neither. */
  text(): string {
    if (!this.exists) return "";
    const first = byte(this.at);
    if (first == 0x2d || <u32>(first - 0x30) <= 9) return String.UTF8.decodeUnsafe(this.at, this.end - this.at);
    if (first != QUOTE) return "";
    const at = this.at + 1;
    const end = this.end - 1;
    for (let p = at; p < end; p++) {
      if (byte(p) == BACKSLASH) return unescape(at, end);
    }
    return String.UTF8.decodeUnsafe(at, end - at);
  }

  /** Is it the string with this ASCII text? Cheaper than text() == name. */
  is(name: string): bool {
    return this.isString && same(this.at + 1, this.end - 1, name);
  }
}

export const NOTHING = new Json(0, 0);

function hex(at: usize): i32 {
  let value = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c = <i32>byte(at + i);
    value = (value << 4) | (c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57);
  }
  return value & 0xffff;
}

function unescape(at: usize, end: usize): string {
  let result = "";
  let from = at;
  while (at < end) {
    if (byte(at) != BACKSLASH) {
      at++;
      continue;
    }
    result += String.UTF8.decodeUnsafe(from, at - from);
    const c = byte(at + 1);
    if (c == 0x75 && at + 6 <= end) {
      result += String.fromCharCode(hex(at + 2));
      at += 6;
    } else {
      result += String.fromCharCode(control(c));
      at += 2;
    }
    from = at;
  }
  return from < end ? result + String.UTF8.decodeUnsafe(from, end - from) : result;
}

function control(c: u8): i32 {
  if (c == 0x6e) return 0x0a;
  if (c == 0x74) return 0x09;
  if (c == 0x72) return 0x0d;
  if (c == 0x62) return 0x08;
  if (c == 0x66) return 0x0c;
  return c; // quote, backslash, slash
}
