;; Its answer is neither a derivation nor a refusal.
(core module $guest
  (import "libc" "memory" (memory 1))
  (data (i32.const 8) "\ff")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 8))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
