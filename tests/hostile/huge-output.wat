;; Answers with a label of five megabytes.
(core module $guest
  (import "libc" "memory" (memory 1))
  (data (i32.const 16) "\00\00\00\00" "\00\00\01\00" "\00\00\50\00")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 100)))
    (memory.fill (i32.const 0x10000) (i32.const 0x61) (i32.const 0x500000))
    (i32.const 16))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
