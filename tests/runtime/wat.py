"""Guests as WAT text, shared by the sandbox tests."""

import wasmtime

IMPORTS = {
    "log": "(func $log (param i32 i32 i32))",
    "signal": "(func $signal (param i32 i32 f64) (result i32))",
    "fire": "(func $fire (param i32 i32 i32 i32) (result i32))",
    "kv_get": "(func $kv_get (param i32 i32) (result i64))",
    "kv_set": "(func $kv_set (param i32 i32 i32 i32) (result i32))",
    "kv_delete": "(func $kv_delete (param i32 i32) (result i32))",
    "kv_list": "(func $kv_list (param i32 i32) (result i64))",
    "secret": "(func $secret (param i32 i32) (result i64))",
    "now_ms": "(func $now_ms (result i64))",
    "random": "(func $random (result i64))",
    "http": "(func $http (param i32 i32) (result i64))",
    "call": "(func $call (param i32 i32 i32 i32) (result i64))",
}
ALLOC = """
  (global $bump (mut i32) (i32.const 4096))
  (func $alloc (export "alloc") (param $n i32) (result i32)
    (local $p i32)
    (local.set $p (global.get $bump))
    (global.set $bump (i32.add (global.get $bump)
      (i32.and (i32.add (local.get $n) (i32.const 7)) (i32.const -8))))
    (local.get $p))
  (func $pack (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))
"""
ECHO = '(func (export "echo") (param i32 i32) (result i64) (call $pack (local.get 0) (local.get 1)))'


def handler(name: str, body: str) -> str:
    """A plain-i64 function around an expression that leaves an i64."""
    return f'(func (export "{name}") (param $p i32) (param $l i32) (result i64) {body})'


def guest(*functions: str, imports: str = "", pages: int = 2) -> bytes:
    """A plain module: memory, a bump allocator, the functions, and the named priostack imports."""
    lines = "".join(f'(import "priostack" "{name}" {IMPORTS[name]})' for name in imports.split())
    return wasm(f'(module {lines} (memory (export "memory") {pages}) {ALLOC} {" ".join(functions)})')


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))
