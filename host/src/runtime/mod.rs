//! The Wasm engine behind the traits of [`policy`](crate::policy).
