;; A key plugin of another version of the contract.
(component
  (instance $role)
  (export "reviver:plugin/key-role@9.9.9" (instance $role)))
