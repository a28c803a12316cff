;; Functions on numbers alone: called with a JSON array, no memory needed.
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "mean") (param f64 f64) (result f64)
    (f64.div (f64.add (local.get 0) (local.get 1)) (f64.const 2)))
  (func (export "double") (param i64) (result i64) (i64.shl (local.get 0) (i64.const 1)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))
