;; run: body {"items": [{"qty": 2, "price": 9.99}, …]} -> {"count":…,"subtotal":…,"tax":…,"total":…}, 20 % tax.
(module
  ;; include _alloc
  ;; include _json
  ;; include _write
  (data (i32.const 16) "bodyitemsqtyprice")
  (data (i32.const 64) "{\"count\":,\"subtotal\":,\"tax\":,\"total\":")

  (func $cents (param $item i64) (result i64)
    (i64.mul
      (call $whole (call $member (local.get $item) (i32.const 25) (i32.const 3)))
      (call $hundredths (call $member (local.get $item) (i32.const 28) (i32.const 5)))))

  (func (export "run") (param $at i32) (param $length i32) (result i64)
    (local $list i64) (local $item i64) (local $count i64) (local $sum i64) (local $tax i64)
    (local.set $list
      (call $member
        (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4))
        (i32.const 20) (i32.const 5)))
    (local.set $item (call $first (local.get $list)))
    (block $out
      (loop $more
        (br_if $out (i64.eqz (local.get $item)))
        (local.set $sum (i64.add (local.get $sum) (call $cents (local.get $item))))
        (local.set $count (i64.add (local.get $count) (i64.const 1)))
        (local.set $item (call $next (local.get $list) (local.get $item)))
        (br $more)))
    (local.set $tax (i64.div_u (i64.add (i64.mul (local.get $sum) (i64.const 20)) (i64.const 50)) (i64.const 100)))
    (call $open (i32.const 160))
    (call $copy (i32.const 64) (i32.const 9))
    (call $digits (local.get $count))
    (call $copy (i32.const 73) (i32.const 12))
    (call $money (local.get $sum))
    (call $copy (i32.const 85) (i32.const 7))
    (call $money (local.get $tax))
    (call $copy (i32.const 92) (i32.const 9))
    (call $money (i64.add (local.get $sum) (local.get $tax)))
    (call $put (i32.const 0x7d))
    (call $written)))
