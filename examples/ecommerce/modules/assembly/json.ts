// JSON as bytes: a value is read where it lies and written into one growing buffer. No tree is built,
// so a call costs a few fuel per byte. Readers never trap: what is absent is NOTHING.

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

@inline
function byte(at: usize): u8 {
  return load<u8>(at);
}

function skipSpace(at: usize, end: usize): usize {
  while (at < end && byte(at) <= 0x20) at++;
  return at;
}

/** From an opening quote to just behind the closing one. */
function skipString(at: usize, end: usize): usize {
  at++;
  while (at < end) {
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

function skipValue(at: usize, end: usize): usize {
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

  static parse(at: usize, length: usize): Json {
    const end = at + length;
    const start = skipSpace(at, end);
    return start < end ? new Json(start, skipValue(start, end)) : NOTHING;
  }

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
    if (!this.exists || this.isObject || this.isArray) return "";
    if (!this.isString) return String.UTF8.decodeUnsafe(this.at, this.end - this.at);
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

/** Does the object have a member whose name is these bytes? */
function hasMember(object: Json, name: usize, length: usize): bool {
  const end = object.end;
  let at = skipSpace(object.at + 1, end);
  while (at < end && byte(at) == QUOTE) {
    const after = skipString(at, end);
    if (after - at == length && memory.compare(at, name, length) == 0) return true;
    at = skipSpace(skipValue(skipSpace(skipSpace(after, end) + 1, end), end), end);
    if (at < end && byte(at) == 0x2c) at = skipSpace(at + 1, end);
  }
  return false;
}

/** The object with the members of the patch put in or replaced. */
export function changed(object: Json, patch: Writer): Json {
  const news = patch.done();
  const result = new Writer(object.end - object.at + patch.length + 64).begin();
  const end = object.end;
  let at = skipSpace(object.at + 1, end);
  while (at < end && byte(at) == QUOTE) {
    const after = skipString(at, end);
    const stop = skipValue(skipSpace(skipSpace(after, end) + 1, end), end);
    if (!hasMember(news, at, after - at)) result.item(new Json(at, stop));
    at = skipSpace(stop, end);
    if (at < end && byte(at) == 0x2c) at = skipSpace(at + 1, end);
  }
  if (patch.length > 2) result.item(new Json(news.at + 1, news.end - 1));
  return result.end().done();
}

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

/** Writes one JSON text. Commas look after themselves. */
export class Writer {
  private start: usize;
  private at: usize;
  private limit: usize;

  constructor(room: usize = 1024) {
    this.start = heap.alloc(room);
    this.at = this.start;
    this.limit = this.start + room;
  }

  get pointer(): usize {
    return this.start;
  }

  get length(): usize {
    return this.at - this.start;
  }

  private need(bytes: usize): void {
    if (this.at + bytes <= this.limit) return;
    const used = this.length;
    const room = (used + bytes) * 2;
    const bigger = heap.alloc(room);
    memory.copy(bigger, this.start, used);
    this.start = bigger;
    this.at = bigger + used;
    this.limit = bigger + room;
  }

  private put(c: u8): void {
    store<u8>(this.at++, c);
  }

  /** A comma, unless we stand behind an opening bracket or a colon. */
  private next(): void {
    this.need(8);
    if (this.at == this.start) return;
    const c = byte(this.at - 1);
    if ((c | 0x20) != 0x7b && c != 0x3a) this.put(0x2c);
  }

  /** The name of a member: plain ASCII, written by us. */
  private key(name: string): void {
    this.next();
    const length = name.length;
    this.need(<usize>length + 8);
    this.put(QUOTE);
    for (let i = 0; i < length; i++) this.put(<u8>name.charCodeAt(i));
    this.put(QUOTE);
    this.put(0x3a);
  }

  begin(): Writer {
    this.next();
    this.put(0x7b);
    return this;
  }

  end(): Writer {
    this.need(1);
    this.put(0x7d);
    return this;
  }

  object(name: string): Writer {
    this.key(name);
    this.put(0x7b);
    return this;
  }

  list(name: string): Writer {
    this.key(name);
    this.put(0x5b);
    return this;
  }

  endList(): Writer {
    this.need(1);
    this.put(0x5d);
    return this;
  }

  int(name: string, value: i64): Writer {
    this.key(name);
    this.need(24);
    if (value < 0) {
      this.put(0x2d);
      value = -value;
    }
    let digits: usize = 1;
    for (let rest = value / 10; rest > 0; rest /= 10) digits++;
    this.at += digits;
    for (let p = this.at - 1; digits > 0; p--, digits--) {
      store<u8>(p, <u8>(0x30 + (value % 10)));
      value /= 10;
    }
    return this;
  }

  flag(name: string, value: bool): Writer {
    this.key(name);
    return this.letters(value ? "true" : "false");
  }

  private letters(plain: string): Writer {
    this.need(<usize>plain.length);
    for (let i = 0; i < plain.length; i++) this.put(<u8>plain.charCodeAt(i));
    return this;
  }

  /** Another value, byte for byte; `null` when it is NOTHING. */
  json(name: string, value: Json): Writer {
    this.key(name);
    return value.exists ? this.copy(value.at, value.end - value.at) : this.letters("null");
  }

  item(value: Json): Writer {
    this.next();
    return this.copy(value.at, value.end - value.at);
  }

  private copy(from: usize, bytes: usize): Writer {
    this.need(bytes);
    memory.copy(this.at, from, bytes);
    this.at += bytes;
    return this;
  }

  text(name: string, value: string): Writer {
    this.key(name);
    return this.quoted(value);
  }

  textItem(value: string): Writer {
    this.next();
    return this.quoted(value);
  }

  private quoted(value: string): Writer {
    const length = value.length;
    this.need(<usize>length * 6 + 2); // the worst case: every unit as \u00XX
    this.put(QUOTE);
    for (let i = 0; i < length; i++) {
      const c = value.charCodeAt(i);
      if (c == 0x22 || c == 0x5c) {
        this.put(BACKSLASH);
        this.put(<u8>c);
      } else if (c < 0x20) {
        this.escaped(c);
      } else if (c < 0x80) {
        this.put(<u8>c);
      } else {
        if ((c & 0xfc00) == 0xd800 && i + 1 < length) this.wide(value.codePointAt(i++));
        else this.wide(c);
      }
    }
    this.put(QUOTE);
    return this;
  }

  private escaped(c: i32): void {
    this.letters("\\u00");
    this.put(<u8>(0x30 + (c >> 4)));
    const low = c & 15;
    this.put(<u8>(low < 10 ? 0x30 + low : 0x57 + low));
  }

  /** A code point beyond ASCII as UTF-8; half of a pair becomes the replacement character. */
  private wide(point: i32): void {
    if ((point & ~0x7ff) == 0xd800) point = 0xfffd;
    if (point < 0x800) {
      this.put(<u8>(0xc0 | (point >> 6)));
    } else {
      if (point < 0x10000) {
        this.put(<u8>(0xe0 | (point >> 12)));
      } else {
        this.put(<u8>(0xf0 | (point >> 18)));
        this.put(<u8>(0x80 | ((point >> 12) & 0x3f)));
      }
      this.put(<u8>(0x80 | ((point >> 6) & 0x3f)));
    }
    this.put(<u8>(0x80 | (point & 0x3f)));
  }

  /** The finished text as a value that can be read. */
  done(): Json {
    return new Json(this.start, this.at);
  }

  /** The finished text as a function returns it: pointer << 32 | length. */
  packed(): i64 {
    return <i64>(((<u64>this.start) << 32) | <u64>this.length);
  }
}
