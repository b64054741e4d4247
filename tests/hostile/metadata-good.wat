;; Encodes any outcome as its exit status, and decodes that; refuses hunks of another length.
(core module $guest
  (import "libc" "memory" (memory 1))
  (data (i32.const 64) "not four bytes")
  (func (export "encode") (param $kind i32) (param $number i32) (param i32 i32 i64 i64 i32 i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.const 32))
    (i32.store (i32.const 24) (i32.const 4))
    (i32.store (i32.const 32) (local.get $number))
    (i32.const 16))
  (func (export "decode") (param $at i32) (param $length i32) (result i32)
    (if (i32.ne (local.get $length) (i32.const 4)) (then
      (i32.store8 (i32.const 128) (i32.const 1))
      (i32.store (i32.const 136) (i32.const 64))
      (i32.store (i32.const 140) (i32.const 14))
      (return (i32.const 128))))
    (i32.store (i32.const 140) (i32.load (local.get $at)))
    (i32.const 128)))
