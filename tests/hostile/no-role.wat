;; A component without any role.
(component)
