;; Traps before it is called.
(core module $guest
  (import "libc" "memory" (memory 1))
  (func $start unreachable)
  (start $start)
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
