;; run: body {"sensor": "orderPaid", "payload": …, "n": 1} fires the sensor n times; answers {"result":0}, or the
;; first code that was negative.
(module
  (import "priostack" "fire" (func $fire (param i32 i32 i32 i32) (result i32)))
  ;; include _alloc
  ;; include _json
  ;; include _write
  (data (i32.const 16) "bodysensorpayloadnnull{\"result\":")
  (func (export "run") (param $at i32) (param $length i32) (result i64)
    (local $body i64) (local $sensor i64) (local $payload i64) (local $left i64) (local $code i32)
    (local.set $body (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4)))
    (local.set $sensor (call $inside (call $member (local.get $body) (i32.const 20) (i32.const 6))))
    (local.set $payload (call $member (local.get $body) (i32.const 26) (i32.const 7)))
    (if (i64.eqz (local.get $payload))
      (then (local.set $payload (call $pack (i32.const 34) (i32.const 4)))))
    (local.set $left (call $member (local.get $body) (i32.const 33) (i32.const 1)))
    (local.set $left (select (i64.const 1) (call $whole (local.get $left)) (i64.eqz (local.get $left))))
    (block $out
      (loop $more
        (br_if $out (i64.eqz (local.get $left)))
        (local.set $code
          (call $fire
            (call $at (local.get $sensor)) (call $length (local.get $sensor))
            (call $at (local.get $payload)) (call $length (local.get $payload))))
        (br_if $out (i32.lt_s (local.get $code) (i32.const 0)))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $more)))
    (call $open (i32.const 40))
    (call $copy (i32.const 38) (i32.const 10))
    (call $signed (i64.extend_i32_s (local.get $code)))
    (call $put (i32.const 0x7d))
    (call $written)))
