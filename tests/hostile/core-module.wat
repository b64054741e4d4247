;; A core module, as the compiler makes it, where a component is expected.
(module (func (export "derive")))
