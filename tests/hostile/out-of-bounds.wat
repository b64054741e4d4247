;; Its answer lies behind the end of its memory.
(core module $guest
  (import "libc" "memory" (memory 1))

  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 0x7ffffff0))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
