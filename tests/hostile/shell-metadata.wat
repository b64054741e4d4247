;; A component of the metadata role around a core module that stands in the place of GUEST; see shell-key.wat.
(component
  (import "reviver:plugin/types@0.1.0" (instance $types
    (type $exit-status' (variant (case "code" s32) (case "signal" s32)))
    (export "exit-status" (type $exit-status (eq $exit-status')))
    (type $stream' (enum "stdout" "stderr" "both"))
    (export "stream" (type $stream (eq $stream')))
    (type $chunk' (record (field "stream" $stream) (field "bytes" (list u8))))
    (export "chunk" (type $chunk (eq $chunk')))
    (type $outcome' (record (field "exit" $exit-status) (field "output" (list $chunk)) (field "started" u64)
      (field "duration" u64) (field "notes" (list (tuple string string)))))
    (export "outcome" (type $outcome (eq $outcome')))))
  (alias export $types "outcome" (type $outcome))
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
      (local.get $at)))
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

  (func $encode (param "outcome" $outcome) (result (result (list u8) (error string)))
    (canon lift (core func $guest "encode") (memory $memory) (realloc $realloc)))
  (func $decode (param "hunk" (list u8)) (result (result $outcome (error string)))
    (canon lift (core func $guest "decode") (memory $memory) (realloc $realloc)))
  (instance $role (export "encode" (func $encode)) (export "decode" (func $decode)))
  (export "reviver:plugin/metadata-role@0.1.0" (instance $role)))
