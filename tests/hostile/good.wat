;; A key plugin as it should be. The first letter of the program says what it looks at first:
;; `v` the variable LANG, `r` reads a file, `q` asks the program, `s` scans a file, anything else nothing.
;; It answers with the discriminant that the look came back with, or the variable's value, as its only ingredient.
(core module $guest
  (import "libc" "memory" (memory 1))
  (import "host" "log" (func $log (param i32 i32 i32)))
  (import "host" "variable" (func $variable (param i32 i32 i32)))
  (import "host" "read" (func $read (param i32 i32 i32)))
  (import "host" "scan" (func $scan (param i32 i32 i32 i32 i32)))
  (import "host" "query" (func $query (param i32 i32 i32)))
  (data (i32.const 0x20) "LANG" "good" "argv" "out")
  (data (i32.const 0x40) "00")
  (data (i32.const 0x50) "\20\00\00\00" "\04\00\00\00")

  ;; result ok at 0x100: label "good", one ingredient at 0x180, one write at 0x1c0
  (data (i32.const 0x104) "\24\00\00\00\04\00\00\00" "\80\01\00\00\01\00\00\00" "\c0\01\00\00\01\00\00\00")
  ;; ingredient: label "argv", text "00"
  (data (i32.const 0x180) "\28\00\00\00\04\00\00\00" "\00\00\00\00" "\40\00\00\00\02\00\00\00")
  ;; write: label "out", path "out", a file
  (data (i32.const 0x1c0) "\2c\00\00\00\03\00\00\00" "\2c\00\00\00\03\00\00\00" "\00\00\00\00")
  ;; result ok at 0x300: one ingredient at 0x180, nothing produced
  (data (i32.const 0x304) "\80\01\00\00\01\00\00\00")

  (func $show (param $at i32)
    ;; two digits: whether the look failed, and how
    (i32.store8 (i32.const 0x40) (i32.add (i32.const 48) (i32.load8_u (local.get $at))))
    (i32.store8 (i32.const 0x41) (i32.add (i32.const 48) (i32.load8_u (i32.add (local.get $at) (i32.const 8))))))

  (func (export "derive") (param $argv i32) (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u (i32.load (local.get $argv))))
    (call $log (i32.const 1) (i32.const 0x24) (i32.const 4))
    (if (i32.eq (local.get $letter) (i32.const 0x76)) (then
      (call $variable (i32.const 0x20) (i32.const 4) (i32.const 0x200))
      (if (i32.load8_u (i32.const 0x200)) (then
        (i32.store (i32.const 0x18c) (i32.load (i32.const 0x204)))
        (i32.store (i32.const 0x190) (i32.load (i32.const 0x208)))))))
    (if (i32.eq (local.get $letter) (i32.const 0x72)) (then
      (call $read (i32.const 0x20) (i32.const 4) (i32.const 0x200))
      (call $show (i32.const 0x200))))
    (if (i32.eq (local.get $letter) (i32.const 0x73)) (then
      (call $scan (i32.const 0x20) (i32.const 4) (i32.const 0x50) (i32.const 1) (i32.const 0x200))
      (call $show (i32.const 0x200))))
    (if (i32.eq (local.get $letter) (i32.const 0x71)) (then
      (call $query (i32.const 0x50) (i32.const 1) (i32.const 0x200))
      (call $show (i32.const 0x200))))
    (i32.const 0x100))

  (func (export "discover") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (param $at i32) (param $length i32)
    (result i32)
    ;; the report is the value
    (i32.store (i32.const 0x18c) (local.get $at))
    (i32.store (i32.const 0x190) (local.get $length))
    (i32.const 0x300)))
