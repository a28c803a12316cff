// What a module of PrioStack needs: the host's functions, the request, the answer.

import { Json, NOTHING } from "./json";
import { changed } from "./patch";
import { Writer } from "./writer";

export { Json, NOTHING, Writer, changed };

// The host module `priostack`. Text goes in as pointer and length of UTF-8; an i64 that comes back is
// pointer << 32 | length, 0 when there is nothing, negative when it was refused.
@external("priostack", "log")
declare function hostLog(level: i32, text: usize, length: i32): void;
@external("priostack", "signal")
declare function hostSignal(name: usize, length: i32, value: f64): i32;
@external("priostack", "fire")
declare function hostFire(name: usize, nameLength: i32, payload: usize, payloadLength: i32): i32;
@external("priostack", "kv_get")
declare function hostGet(key: usize, length: i32): i64;
@external("priostack", "kv_set")
declare function hostSet(key: usize, keyLength: i32, value: usize, valueLength: i32): i32;
@external("priostack", "kv_delete")
declare function hostDelete(key: usize, length: i32): i32;
@external("priostack", "kv_list")
declare function hostList(prefix: usize, length: i32): i64;
@external("priostack", "now_ms")
declare function hostNow(): i64;
@external("priostack", "random")
declare function hostRandom(): i64;

/** The host puts the request and what it returns here. Nothing is freed: the memory ends with the call. */
export function alloc(size: i32): usize {
  return heap.alloc(size > 0 ? <usize>size : 1);
}

export const DEBUG = 0;
export const INFO = 1;
export const WARNING = 2;
export const ERROR = 3;

@inline
function bytes(text: ArrayBuffer): usize {
  return changetype<usize>(text);
}

function unpack(result: i64): Json {
  if (result <= 0) return NOTHING;
  const at = <usize>(<u64>result >> 32);
  return new Json(at, at + <usize>(result & 0xffffffff));
}

export function log(level: i32, line: string): void {
  const text = String.UTF8.encode(line);
  hostLog(level, bytes(text), text.byteLength);
}

/** One measured value for the goals that watch this signal. */
export function signal(name: string, value: f64): void {
  const text = String.UTF8.encode(name);
  hostSignal(bytes(text), text.byteLength, value);
}

/** Fire a sensor: every intent that waits for it runs, after this call has succeeded. */
export function fire(sensor: string, payload: Writer): void {
  const name = String.UTF8.encode(sensor);
  if (hostFire(bytes(name), name.byteLength, payload.pointer, <i32>payload.length) < 0) {
    log(WARNING, "the sensor " + sensor + " was not fired");
  }
}

/** The value under a key; NOTHING when there is none. */
export function load(key: string): Json {
  const name = String.UTF8.encode(key);
  return unpack(hostGet(bytes(name), name.byteLength));
}

/** Store a value. It becomes visible to others when the call succeeds, together with all its other writes. */
export function save(key: string, value: Json): void {
  const name = String.UTF8.encode(key);
  const result = hostSet(bytes(name), name.byteLength, value.at, <i32>(value.end - value.at));
  if (result < 0) throw new Error("kv_set refused " + key); // ends the call, drops its writes
}

export function remove(key: string): void {
  const name = String.UTF8.encode(key);
  if (hostDelete(bytes(name), name.byteLength) < 0) throw new Error("kv_delete refused " + key);
}

/** The keys that begin with the prefix. */
export function keys(prefix: string): Json[] {
  const name = String.UTF8.encode(prefix);
  return unpack(hostList(bytes(name), name.byteLength)).items();
}

export function now(): i64 {
  return hostNow();
}

/** A new id such as `ord_mi8w0c1k5h2xq`: it sorts by time, and a re-run of the call makes the same one. */
export function newId(kind: string): string {
  let text = "";
  let rest = <u64>now();
  for (let i = 0; i < 8; i++, rest /= 36) text = digit(<i32>(rest % 36)) + text;
  let chance = <u64>hostRandom();
  for (let i = 0; i < 6; i++, chance /= 36) text += digit(<i32>(chance % 36));
  return kind + "_" + text;
}

function digit(value: i32): string {
  return String.fromCharCode(value < 10 ? 0x30 + value : 0x57 + value);
}

/** What was asked: `{method, path, params, query, headers, body, tenant, execution, sensor?}`. */
export class Request {
  private root: Json;

  constructor(at: usize, length: i32) {
    this.root = new Json(at, at + <usize>length);
  }

  get body(): Json {
    return this.root.get("body");
  }

  param(name: string): string {
    return this.root.get("params").get(name).text();
  }

  query(name: string): string {
    return this.root.get("query").get(name).text();
  }
}

/** Begin an answer: write the members of its body, then end it with `answer`. The wrapper with `status` is
 *  always there, so a body may have a member `status` or `error` of its own. */
export function reply(status: i32 = 200): Writer {
  return new Writer().begin().int("status", status).object("body");
}

export function answer(body: Writer): i64 {
  return body.end().end().packed();
}

/** An answer whose body is a value that exists already. */
export function answerWith(status: i32, body: Json): i64 {
  return new Writer().begin().int("status", status).json("body", body).end().packed();
}

export function problem(status: i32, message: string): i64 {
  return answer(reply(status).text("error", message));
}

/** Ids become parts of keys, so they are short and plain. */
export function isId(id: string): bool {
  if (id.length == 0 || id.length > 64) return false;
  for (let i = 0; i < id.length; i++) {
    const c = id.charCodeAt(i);
    const low = c | 0x20;
    const plain = (low >= 0x61 && low <= 0x7a) || (c >= 0x30 && c <= 0x39);
    if (!plain && c != 0x2d && c != 0x2e && c != 0x5f && c != 0x40) return false;
  }
  return true;
}
