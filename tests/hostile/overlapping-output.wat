;; Answers with a hundred thousand ingredients whose labels are all the same megabyte: little memory, a hundred gigabytes once
;; copied.
(core module $guest
  (import "libc" "memory" (memory 1))
  (data (i32.const 16) "\00\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\00\20\00" "\a0\86\01\00")
  (func (export "derive") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $at i32)
    (drop (memory.grow (i32.const 100)))
    (memory.fill (i32.const 0x10000) (i32.const 0x61) (i32.const 0x100000))
    (local.set $at (i32.const 0x200000))
    (loop $again
      (i32.store (local.get $at) (i32.const 0x10000))
      (i32.store offset=4 (local.get $at) (i32.const 0x100000))
      (local.set $at (i32.add (local.get $at) (i32.const 20)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 0x3e8480))))
    (i32.const 16))
  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
