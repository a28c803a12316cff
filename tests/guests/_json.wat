;; Reading JSON where it lies. Values are pointer << 32 | length, 0 when absent.

(func $space (param $at i32) (param $end i32) (result i32)
  (block $out
    (loop $next
      (br_if $out (i32.ge_u (local.get $at) (local.get $end)))
      (br_if $out (i32.gt_u (i32.load8_u (local.get $at)) (i32.const 0x20)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (local.get $at))

;; From an opening quote to just behind the closing one.
(func $string (param $at i32) (param $end i32) (result i32)
  (local $eight i64) (local $quotes i64) (local $slashes i64) (local $c i32)
  (local.set $at (i32.add (local.get $at) (i32.const 1)))
  (loop $next
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
    (if (i32.le_u (i32.add (local.get $at) (i32.const 8)) (local.get $end))
      (then
        (local.set $eight (i64.load (local.get $at)))
        ;; the lowest bit set belongs to the first of eight bytes that is a quote or a backslash
        (local.set $quotes (i64.xor (local.get $eight) (i64.const 0x2222222222222222)))
        (local.set $slashes (i64.xor (local.get $eight) (i64.const 0x5c5c5c5c5c5c5c5c)))
        (local.set $eight
          (i64.and
            (i64.or
              (i64.and
                (i64.sub (local.get $quotes) (i64.const 0x0101010101010101))
                (i64.xor (local.get $quotes) (i64.const -1)))
              (i64.and
                (i64.sub (local.get $slashes) (i64.const 0x0101010101010101))
                (i64.xor (local.get $slashes) (i64.const -1))))
            (i64.const 0x8080808080808080)))
        (if (i64.eqz (local.get $eight))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br $next)))
        (local.set $at
          (i32.add (local.get $at)
            (i32.wrap_i64 (i64.shr_u (i64.ctz (local.get $eight)) (i64.const 3)))))))
    (local.set $c (i32.load8_u (local.get $at)))
    (if (i32.eq (local.get $c) (i32.const 0x22)) (then (return (i32.add (local.get $at) (i32.const 1)))))
    ;; behind a backslash stands a character that ends nothing
    (local.set $at
      (i32.add (local.get $at)
        (select (i32.const 2) (i32.const 1) (i32.eq (local.get $c) (i32.const 0x5c)))))
    (br $next))
  (unreachable))

;; From an opening bracket to just behind the one that closes it. [ and {, ] and } differ in the bit 0x20 alone.
(func $nest (param $at i32) (param $end i32) (result i32)
  (local $depth i32) (local $c i32)
  (loop $next
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x22))
      (then
        (local.set $at (call $string (local.get $at) (local.get $end)))
        (br $next)))
    (local.set $c (i32.or (i32.load8_u (local.get $at)) (i32.const 0x20)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $depth (i32.add (local.get $depth) (i32.eq (local.get $c) (i32.const 0x7b))))
    (br_if $next (i32.ne (local.get $c) (i32.const 0x7d)))
    (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
    (br_if $next (local.get $depth)))
  (local.get $at))

(func $value (param $at i32) (param $end i32) (result i32)
  (local $c i32)
  (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x22))
    (then (return (call $string (local.get $at) (local.get $end)))))
  (if (i32.eq (i32.or (i32.load8_u (local.get $at)) (i32.const 0x20)) (i32.const 0x7b))
    (then (return (call $nest (local.get $at) (local.get $end)))))
  (block $out
    (loop $next
      (br_if $out (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $c (i32.load8_u (local.get $at)))
      (br_if $out (i32.eq (local.get $c) (i32.const 0x2c)))
      (br_if $out (i32.eq (i32.or (i32.load8_u (local.get $at)) (i32.const 0x20)) (i32.const 0x7d)))
      (br_if $out (i32.le_u (local.get $c) (i32.const 0x20)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (local.get $at))

(func $same (param $a i32) (param $b i32) (param $n i32) (result i32)
  (loop $next
    (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
    (br_if $next
      (i32.eq
        (i32.load8_u (i32.add (local.get $a) (local.get $n)))
        (i32.load8_u (i32.add (local.get $b) (local.get $n))))))
  (i32.const 0))

;; Behind a value: past the comma, at the next value.
(func $following (param $at i32) (param $end i32) (result i32)
  (local.set $at (call $space (local.get $at) (local.get $end)))
  (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
  (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x2c)) (then (return (local.get $end))))
  (call $space (i32.add (local.get $at) (i32.const 1)) (local.get $end)))

;; The member of an object with this name.
(func $member (param $object i64) (param $name i32) (param $size i32) (result i64)
  (local $at i32) (local $end i32) (local $key i32) (local $keysize i32) (local $stop i32)
  (local.set $at (call $at (local.get $object)))
  (local.set $end (call $end (local.get $object)))
  (if (i64.eqz (local.get $object)) (then (return (i64.const 0))))
  (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x7b)) (then (return (i64.const 0))))
  (local.set $at (call $space (i32.add (local.get $at) (i32.const 1)) (local.get $end)))
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (local.get $at) (local.get $end)))
      (br_if $none (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x22)))
      (local.set $key (i32.add (local.get $at) (i32.const 1)))
      (local.set $at (call $string (local.get $at) (local.get $end)))
      (local.set $keysize (i32.sub (i32.sub (local.get $at) (local.get $key)) (i32.const 1)))
      (local.set $at (i32.add (call $space (local.get $at) (local.get $end)) (i32.const 1))) ;; the colon
      (local.set $at (call $space (local.get $at) (local.get $end)))
      (br_if $none (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $stop (call $value (local.get $at) (local.get $end)))
      (if (i32.eq (local.get $keysize) (local.get $size))
        (then
          (if (call $same (local.get $key) (local.get $name) (local.get $size))
            (then
              (return (call $pack (local.get $at) (i32.sub (local.get $stop) (local.get $at))))))))
      (local.set $at (call $following (local.get $stop) (local.get $end)))
      (br $next)))
  (i64.const 0))

;; The first value of a list.
(func $first (param $list i64) (result i64)
  (local $at i32) (local $end i32)
  (if (i64.eqz (local.get $list)) (then (return (i64.const 0))))
  (local.set $at (call $at (local.get $list)))
  (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x5b)) (then (return (i64.const 0))))
  (local.set $end (i32.sub (call $end (local.get $list)) (i32.const 1)))
  (call $spanned (call $space (i32.add (local.get $at) (i32.const 1)) (local.get $end)) (local.get $end)))

;; The value of a list behind this one.
(func $next (param $list i64) (param $item i64) (result i64)
  (local $end i32)
  (local.set $end (i32.sub (call $end (local.get $list)) (i32.const 1)))
  (call $spanned (call $following (call $end (local.get $item)) (local.get $end)) (local.get $end)))

(func $spanned (param $at i32) (param $end i32) (result i64)
  (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i64.const 0))))
  (call $pack (local.get $at) (i32.sub (call $value (local.get $at) (local.get $end)) (local.get $at))))

;; A number with two places behind the point, as an integer: 12 -> 1200, 9.99 -> 999. 0 when it is none.
(func $hundredths (param $number i64) (result i64)
  (local $at i32) (local $end i32) (local $digit i32) (local $left i32) (local $sum i64)
  (if (i64.eqz (local.get $number)) (then (return (i64.const 0))))
  (local.set $at (call $at (local.get $number)))
  (local.set $end (call $end (local.get $number)))
  (local.set $left (i32.const -1)) ;; places still to come behind the point; -1 before it
  (block $out
    (loop $more
      (br_if $out (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 0x30)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.eq (local.get $digit) (i32.const -2)) ;; the point
        (then
          (local.set $left (i32.const 2))
          (br $more)))
      (br_if $out (i32.gt_u (local.get $digit) (i32.const 9)))
      (br_if $out (i32.eqz (local.get $left)))
      (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 10)) (i64.extend_i32_u (local.get $digit))))
      (if (i32.gt_s (local.get $left) (i32.const 0))
        (then (local.set $left (i32.sub (local.get $left) (i32.const 1)))))
      (br $more)))
  (if (i32.lt_s (local.get $left) (i32.const 0)) (then (local.set $left (i32.const 2))))
  (loop $fill
    (if (local.get $left)
      (then
        (local.set $sum (i64.mul (local.get $sum) (i64.const 10)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $fill))))
  (local.get $sum))

(func $whole (param $number i64) (result i64)
  (i64.div_u (call $hundredths (local.get $number)) (i64.const 100)))

;; Without its quotes; its escapes stay as they are.
(func $inside (param $text i64) (result i64)
  (if (result i64) (i64.eqz (local.get $text))
    (then (i64.const 0))
    (else
      (call $pack
        (i32.add (call $at (local.get $text)) (i32.const 1))
        (i32.sub (call $length (local.get $text)) (i32.const 2))))))
