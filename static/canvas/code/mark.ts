// A module remembers the source that it was built from: a mark in a section of its own, which changes nothing else.
const SECTION = "priostack.source";

/** Tells texts apart; it guards nothing. */
export function markOf(source: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < source.length; at += 1) {
    const code = source.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  return `${source.length}-${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

export function marked(wasm: Uint8Array, source: string): Uint8Array {
  const name = new TextEncoder().encode(SECTION);
  const body = new TextEncoder().encode(markOf(source));
  const section = [0, 1 + name.length + body.length, name.length, ...name, ...body]; // all below 128: one byte each
  const made = new Uint8Array(wasm.length + section.length);
  made.set(wasm);
  made.set(section, wasm.length);
  return made;
}

/** Whether the module was built from exactly this source; null when it says nothing about that. */
export function builtFrom(wasm: Uint8Array, source: string): boolean | null {
  const text = new TextDecoder("latin1").decode(wasm);
  const at = text.lastIndexOf(SECTION);
  return at < 0 ? null : text.slice(at + SECTION.length).startsWith(markOf(source));
}
