;; A component that wants to be two plugins.
(component
  (instance $role)
  (export "reviver:plugin/key-role@0.1.0" (instance $role))
  (export "reviver:plugin/metadata-role@0.1.0" (instance $role)))
