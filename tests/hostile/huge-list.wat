;; Answers with a list of four milliards of ingredients.
(core module $guest
  (import "libc" "memory" (memory 1))
  ;; result ok: label "", ingredients from 0x100 on
  (data (i32.const 16) "\00\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\01\00\00" "\ff\ff\ff\ff")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 16))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
