;; Imports a function of the host's that is not in the contract, inside of an interface that is.
(component
  (import "reviver:plugin/host@0.1.0" (instance (export "execute" (func (param "command" string)))))
  (instance $role)
  (export "reviver:plugin/key-role@0.1.0" (instance $role)))
