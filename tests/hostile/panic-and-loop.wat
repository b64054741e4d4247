;; Says that it panicked, and goes on for ever.
(core module $guest
  (import "libc" "memory" (memory 1))
  (import "host" "panicked" (func $panicked (param i32 i32 i32 i32 i32)))
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $panicked (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4))
    (loop $again (br $again))
    unreachable)
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
