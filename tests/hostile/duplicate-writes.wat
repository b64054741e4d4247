;; Answers with two writes of one label.
(core module $guest
  (import "libc" "memory" (memory 1))
  ;; result ok: label "", no ingredients, two writes from 0x80 on
  (data (i32.const 16) "\00\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\00\00\00" "\80\00\00\00" "\02\00\00\00")
  (data (i32.const 0x80) "\c0\00\00\00" "\01\00\00\00" "\c0\00\00\00" "\01\00\00\00" "\00\00\00\00")
  (data (i32.const 0x94) "\c0\00\00\00" "\01\00\00\00" "\c0\00\00\00" "\01\00\00\00" "\00\00\00\00")
  (data (i32.const 0xc0) "o")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 16))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
