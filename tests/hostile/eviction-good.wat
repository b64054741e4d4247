;; Scores each candidate by its last use.
(core module $guest
  (import "libc" "memory" (memory 1))
  (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (import "libc" "free" (func $free))
  (func (export "free") (param i32) (call $free))
  (func (export "score") (param i64 i64 i64 i64) (param $at i32) (param $count i32) (result i32)
    (local $to i32) (local $n i32)
    (local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.shl (local.get $count) (i32.const 3))))
    (i32.store (i32.const 16) (local.get $to))
    (i32.store (i32.const 20) (local.get $count))
    (block $done (loop $again
      (br_if $done (i32.ge_u (local.get $n) (local.get $count)))
      (f64.store (local.get $to) (f64.convert_i64_u (i64.load offset=24 (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 56)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $again)))
    (i32.const 16)))
