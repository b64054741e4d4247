;; A key plugin of another version of the contract.
(component
  (instance $role)
  (export "reviver:plugin/key-role@0.2.0" (instance $role)))
