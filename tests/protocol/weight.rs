//! What a value really takes in memory.

use reviver::protocol::Sexp;

/// The bytes that the allocator gives for a value: each allocation with its header, in steps of sixteen. What a list sets aside
/// and does not use counts too.
pub(crate) fn weight(value: &Sexp) -> usize {
    size_of::<Sexp>()
        + match value {
            Sexp::Atom(bytes) => allocated(bytes.capacity()),
            Sexp::List(values) => {
                let unused = values.capacity() - values.len();
                let header =
                    allocated(values.capacity() * size_of::<Sexp>()) - values.capacity() * size_of::<Sexp>();
                header + unused * size_of::<Sexp>() + values.iter().map(weight).sum::<usize>()
            }
        }
}

fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}
