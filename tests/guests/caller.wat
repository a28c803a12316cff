;; run: body {"target": "wasm:echo:run", "payload": …} calls the target of the same tenant, answers with its answer.
(module
  (import "priostack" "call" (func $call (param i32 i32 i32 i32) (result i64)))
  ;; include _alloc
  ;; include _json
  ;; include _write
  ;; include _result
  (data (i32.const 16) "bodytargetpayloadnull")
  (func (export "run") (param $at i32) (param $length i32) (result i64)
    (local $body i64) (local $target i64) (local $payload i64)
    (local.set $body (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4)))
    (local.set $target (call $inside (call $member (local.get $body) (i32.const 20) (i32.const 6))))
    (local.set $payload (call $member (local.get $body) (i32.const 26) (i32.const 7)))
    (if (i64.eqz (local.get $payload))
      (then (local.set $payload (call $pack (i32.const 33) (i32.const 4)))))
    (call $result
      (call $call
        (call $at (local.get $target)) (call $length (local.get $target))
        (call $at (local.get $payload)) (call $length (local.get $payload))))))
