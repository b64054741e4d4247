//! The `reviver` command.
fn main() {}
