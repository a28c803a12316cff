;; One function for each way to end badly.
(module
  (import "priostack" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "priostack" "log" (func $log (param i32 i32 i32)))
  ;; include _alloc
  (data (i32.const 16) "kept")
  (func (export "unreachable") (param i32 i32) (result i64) (unreachable))
  (func (export "divide") (param i32 i32) (result i64) (i64.div_u (i64.const 1) (i64.const 0)))
  (func (export "outside") (param i32 i32) (result i64) (i64.load (i32.const -16)))
  (func $deeper (param $n i64) (result i64)
    (i64.add (call $deeper (i64.add (local.get $n) (i64.const 1))) (i64.const 1)))
  (func (export "overflow") (param i32 i32) (result i64) (call $deeper (i64.const 0)))
  (func (export "forever") (param i32 i32) (result i64) (loop $on (br $on)) (unreachable))
  ;; asks for more memory until it is refused, then answers 1
  (data (i32.const 24) "1")
  (func (export "hoard") (param i32 i32) (result i64)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (call $pack (i32.const 24) (i32.const 1)))
  ;; results that are not in memory, too long, or not JSON
  (func (export "bad_pointer") (param i32 i32) (result i64) (call $pack (i32.const -16) (i32.const 8)))
  (func (export "bad_length") (param i32 i32) (result i64) (call $pack (i32.const 16) (i32.const -1)))
  (func (export "bad_json") (param i32 i32) (result i64) (call $pack (i32.const 16) (i32.const 4)))
  (func (export "nothing") (param i32 i32) (result i64) (i64.const 0))
  ;; host calls with pointers that are not its own
  (func (export "bad_host_pointer") (param i32 i32) (result i64)
    (call $log (i32.const 1) (i32.const -64) (i32.const 32))
    (i64.const 0))
  ;; writes and logs, then fails: the write must be gone
  (func (export "writes_then_traps") (param i32 i32) (result i64)
    (drop (call $kv_set (i32.const 16) (i32.const 4) (i32.const 16) (i32.const 4)))
    (call $log (i32.const 3) (i32.const 16) (i32.const 4))
    (unreachable))
  ;; host calls without end
  (func (export "chatters") (param i32 i32) (result i64)
    (loop $on (call $log (i32.const 0) (i32.const 16) (i32.const 4)) (br $on))
    (unreachable)))
