;; Would like to know the time.
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))
  (instance $role)
  (export "reviver:plugin/key-role@0.1.0" (instance $role)))
