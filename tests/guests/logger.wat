;; run: body {"text": "…", "n": 3, "level": 1} logs the text n times (once without n) and answers {"logged":n}.
(module
  (import "priostack" "log" (func $log (param i32 i32 i32)))
  ;; include _alloc
  ;; include _json
  ;; include _write
  (data (i32.const 16) "bodytextnlevel{\"logged\":")
  (func (export "run") (param $at i32) (param $length i32) (result i64)
    (local $body i64) (local $text i64) (local $n i64) (local $left i64) (local $level i32)
    (local.set $body (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4)))
    (local.set $text (call $inside (call $member (local.get $body) (i32.const 20) (i32.const 4))))
    (local.set $n (call $member (local.get $body) (i32.const 24) (i32.const 1)))
    (local.set $n (select (i64.const 1) (call $whole (local.get $n)) (i64.eqz (local.get $n))))
    (local.set $level (i32.wrap_i64 (call $whole (call $member (local.get $body) (i32.const 25) (i32.const 5)))))
    (local.set $left (local.get $n))
    (block $out
      (loop $more
        (br_if $out (i64.eqz (local.get $left)))
        (call $log (local.get $level) (call $at (local.get $text)) (call $length (local.get $text)))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $more)))
    (call $open (i32.const 40))
    (call $copy (i32.const 30) (i32.const 10))
    (call $digits (local.get $n))
    (call $put (i32.const 0x7d))
    (call $written)))
