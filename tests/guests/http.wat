;; run: sends the body, such as {"method": "GET", "url": "http://…"}, to priostack.http; answers with its answer.
(module
  (import "priostack" "http" (func $http (param i32 i32) (result i64)))
  ;; include _alloc
  ;; include _json
  ;; include _write
  ;; include _result
  (data (i32.const 16) "body")
  (func (export "run") (param $at i32) (param $length i32) (result i64)
    (local $body i64)
    (local.set $body (call $member (call $pack (local.get $at) (local.get $length)) (i32.const 16) (i32.const 4)))
    (call $result (call $http (call $at (local.get $body)) (call $length (local.get $body))))))
