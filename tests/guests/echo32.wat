;; handle_run: as echo, in the other plain convention: the result is a pointer to a length and the bytes.
(module
  ;; include _alloc
  ;; include _json
  ;; include _write
  (data (i32.const 16) "bodynull")
  (func (export "handle_run") (param $at i32) (param $length i32) (result i32)
    (local $body i64)
    (local.set $body (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4)))
    (if (i64.eqz (local.get $body)) (then (local.set $body (call $pack (i32.const 20) (i32.const 4)))))
    (call $open (i32.add (call $length (local.get $body)) (i32.const 4)))
    (i32.store (global.get $pen) (call $length (local.get $body)))
    (global.set $pen (i32.add (global.get $pen) (i32.const 4)))
    (call $copy (call $at (local.get $body)) (call $length (local.get $body)))
    (global.get $start)))
