;; Has the export of a key plugin and none of its functions.
(component
  (instance $role)
  (export "reviver:plugin/key-role@0.1.0" (instance $role)))
