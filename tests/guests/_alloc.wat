;; Memory and the allocator of the plain interface: a pointer that moves up. Nothing is freed.
(memory (export "memory") 2)
(global $top (mut i32) (i32.const 1024))

(func $alloc (export "alloc") (param $n i32) (result i32)
  (local $place i32) (local $short i32)
  (local.set $place (global.get $top))
  (global.set $top
    (i32.and (i32.add (i32.add (global.get $top) (local.get $n)) (i32.const 15)) (i32.const -16)))
  (local.set $short (i32.sub (global.get $top) (i32.shl (memory.size) (i32.const 16))))
  (if (i32.gt_s (local.get $short) (i32.const 0))
    (then
      (br_if 0
        (i32.ne (i32.const -1)
          (memory.grow (i32.shr_u (i32.add (local.get $short) (i32.const 65535)) (i32.const 16)))))
      (unreachable)))
  (local.get $place))

;; A result of the plain interface: pointer << 32 | length.
(func $pack (param $at i32) (param $length i32) (result i64)
  (i64.or
    (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
    (i64.extend_i32_u (local.get $length))))

(func $at (param $packed i64) (result i32)
  (i32.wrap_i64 (i64.shr_u (local.get $packed) (i64.const 32))))

(func $length (param $packed i64) (result i32)
  (i32.wrap_i64 (local.get $packed)))

(func $end (param $packed i64) (result i32)
  (i32.add (call $at (local.get $packed)) (call $length (local.get $packed))))
