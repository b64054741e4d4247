;; A component of the eviction role around a core module that stands in the place of GUEST; see shell-key.wat.
(component
  (import "reviver:plugin/types@0.1.0" (instance $types
    (type $candidate' (record (field "size" u64) (field "files" u32) (field "created" u64) (field "last-use" u64)
      (field "uses" u64) (field "cost" u64) (field "unused" bool)))
    (export "candidate" (type $candidate (eq $candidate')))
    (type $budget' (record (field "limit" u64) (field "used" u64) (field "entries" u64)))
    (export "budget" (type $budget (eq $budget')))))
  (alias export $types "candidate" (type $candidate))
  (alias export $types "budget" (type $budget))
  (import "reviver:plugin/host@0.1.0" (instance $host
    (type $level' (enum "debug" "info" "warning"))
    (export "level" (type $level (eq $level')))
    (export "configuration" (func (result string)))
    (export "log" (func (param "level" $level) (param "message" string)))
    (export "panicked" (func (param "message" string) (param "file" string) (param "line" u32)))))

  (core module $libc
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 0x10000))
    (func (export "realloc") (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (block $fits
        (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 0x10000))))
        (drop (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 0x10000)) (i32.const 1)))))
      (local.get $at))
    (func (export "free") (global.set $next (i32.const 0x10000))))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $configuration (canon lower (func $host "configuration") (memory $memory) (realloc $realloc)))
  (core func $log (canon lower (func $host "log") (memory $memory)))
  (core func $panicked (canon lower (func $host "panicked") (memory $memory)))

  GUEST
  (core instance $guest (instantiate $guest
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "configuration" (func $configuration)) (export "log" (func $log)) (export "panicked" (func $panicked))))))

  (func $score (param "now" u64) (param "budget" $budget) (param "candidates" (list $candidate))
    (result (list f64))
    (canon lift (core func $guest "score") (memory $memory) (realloc $realloc) (post-return (func $guest "free"))))
  (instance $role (export "score" (func $score)))
  (export "reviver:plugin/eviction-role@0.1.0" (instance $role)))
