// One JSON text, written into a growing buffer.

import { BACKSLASH, Json, QUOTE, byte } from "./json";

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
    this.digits(value);
    return this;
  }

  /** Cents as a number with two places: 1234 becomes 12.34. */
  money(name: string, cents: i64): Writer {
    this.key(name);
    this.need(24);
    this.digits(cents / 100);
    this.put(0x2e);
    this.put(<u8>(0x30 + ((cents / 10) % 10)));
    this.put(<u8>(0x30 + (cents % 10)));
    return this;
  }

  private digits(value: i64): void {
    let count: usize = 1;
    for (let rest = value / 10; rest > 0; rest /= 10) count++;
    this.at += count;
    for (let p = this.at - 1; count > 0; p--, count--) {
      store<u8>(p, <u8>(0x30 + (value % 10)));
      value /= 10;
    }
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
        const point = value.codePointAt(i);
        if (point > 0xffff) i++; // a pair of surrogates
        this.wide(point);
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
