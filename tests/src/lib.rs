//! What the tests of the store share with the worker processes that they start.
//!
//! * [`generation`]: contents that tell which key and which writing of it they belong to, so that whoever finds one can
//!   prove that it is whole.
//! * [`place`]: a cache in a directory of its own, with destinations beside it.
//! * [`header`]: entries, made by hand.
//! * [`record`]: records of an index, made by hand.
//! * [`dice`]: numbers that are as good as random and the same each time.

pub mod dice;
pub mod generation;
pub mod header;
pub mod place;
pub mod record;
