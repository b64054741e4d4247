;; Counts its calls: from the second one in the same instance on it traps.
(core module $guest
  (import "libc" "memory" (memory 1))
  (data (i32.const 16) "\01\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\00\00\00")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (if (i32.load (i32.const 0x100)) (then unreachable))
    (i32.store (i32.const 0x100) (i32.const 1))
    (i32.const 16))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
