;; run: adds one to the stored number under the key n and answers with it.
(module
  (import "priostack" "kv_get" (func $kv_get (param i32 i32) (result i64)))
  (import "priostack" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  ;; include _alloc
  ;; include _json
  ;; include _write
  (data (i32.const 16) "n")
  (func (export "run") (param i32 i32) (result i64)
    (local $n i64)
    (local.set $n (call $kv_get (i32.const 16) (i32.const 1)))
    (if (i64.lt_s (local.get $n) (i64.const 0)) (then (unreachable)))
    (call $open (i32.const 32))
    (call $digits (i64.add (call $whole (local.get $n)) (i64.const 1)))
    (if (call $kv_set (i32.const 16) (i32.const 1) (global.get $start) (call $length (call $written)))
      (then (unreachable)))
    (call $written)))
