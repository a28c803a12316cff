;; Writing an answer: $pen moves through a buffer that $open makes.
(global $start (mut i32) (i32.const 0))
(global $pen (mut i32) (i32.const 0))

(func $open (param $room i32)
  (global.set $start (call $alloc (local.get $room)))
  (global.set $pen (global.get $start)))

(func $written (result i64)
  (call $pack (global.get $start) (i32.sub (global.get $pen) (global.get $start))))

(func $copy (param $from i32) (param $size i32)
  (memory.copy (global.get $pen) (local.get $from) (local.get $size))
  (global.set $pen (i32.add (global.get $pen) (local.get $size))))

(func $put (param $c i32)
  (i32.store8 (global.get $pen) (local.get $c))
  (global.set $pen (i32.add (global.get $pen) (i32.const 1))))

(func $digits (param $value i64)
  (if (i64.ge_u (local.get $value) (i64.const 10))
    (then (call $digits (i64.div_u (local.get $value) (i64.const 10)))))
  (call $put (i32.add (i32.const 0x30) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10))))))

(func $signed (param $value i64)
  (if (i64.lt_s (local.get $value) (i64.const 0))
    (then
      (call $put (i32.const 0x2d))
      (local.set $value (i64.sub (i64.const 0) (local.get $value)))))
  (call $digits (local.get $value)))

;; 1234 -> 12.34
(func $money (param $cents i64)
  (call $digits (i64.div_u (local.get $cents) (i64.const 100)))
  (call $put (i32.const 0x2e))
  (call $put (i32.add (i32.const 0x30) (i32.wrap_i64 (i64.rem_u (i64.div_u (local.get $cents) (i64.const 10)) (i64.const 10)))))
  (call $put (i32.add (i32.const 0x30) (i32.wrap_i64 (i64.rem_u (local.get $cents) (i64.const 10))))))
