;; run: body {"n": 1000000} burns that much fuel, and a few thousand for the rest, and answers with n.
(module
  ;; include _alloc
  ;; include _json
  ;; include _write
  (data (i32.const 16) "bodyn")
  (func (export "run") (param $at i32) (param $length i32) (result i64)
    (local $n i64) (local $left i64)
    (local.set $n
      (call $whole
        (call $member
          (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4))
          (i32.const 20) (i32.const 1))))
    (local.set $left (local.get $n))
    (loop $burn
      (local.set $left (i64.sub (local.get $left) (i64.const 8))) ;; a round of this loop costs 8 fuel
      (br_if $burn (i64.gt_s (local.get $left) (i64.const 0))))
    (call $open (i32.const 32))
    (call $digits (local.get $n))
    (call $written)))
