;; Encodes to more than it has, and decodes to a list of notes without end.
(core module $guest
  (import "libc" "memory" (memory 1))
  (data (i32.const 16) "\00\00\00\00" "\00\00\01\00" "\00\00\00\7f")
  (data (i32.const 168) "\00\01\00\00" "\ff\ff\ff\ff")
  (func (export "encode") (param i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 16))
  (func (export "decode") (param i32 i32) (result i32) (i32.const 128)))
