;; Says what went wrong, as the SDK's panic hook does, and traps.
(core module $guest
  (import "libc" "memory" (memory 1))
  (import "host" "panicked" (func $panicked (param i32 i32 i32 i32 i32)))
  (data (i32.const 16) "no input named `cc`src/lib.rs")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $panicked (i32.const 16) (i32.const 19) (i32.const 35) (i32.const 10) (i32.const 4))
    unreachable)
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
