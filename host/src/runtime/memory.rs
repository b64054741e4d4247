//! The memory of one instance: all its memories and tables draw on one budget, and asking for more ends the call.
//!
//! A guest never sees a growth fail for want of budget. It would go on in some way of its own, most often a panic about
//! something else, and what it does then would depend on the limit without anybody being told.

use super::fault::Halt;
use wasmtime::{Error, ResourceLimiter, Result};

/// Nothing sensible comes near these numbers, and the bookkeeping for each costs the host memory.
const INSTANCES: usize = 64;

/// How many bytes an element of a table takes.
const ELEMENT: u64 = 16;

#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) const fn new(bytes: u64) -> Self {
        Self { left: bytes }
    }

    /// How many bytes are left. Nothing is ever given back, so what is gone is the most that was ever used.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    fn grow(&mut self, current: usize, desired: usize, unit: u64, maximum: Option<usize>) -> Result<bool> {
        // Beyond the type's own maximum growth fails in every host alike, which a guest may well expect.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = (desired.saturating_sub(current) as u64).saturating_mul(unit);
        match self.left.checked_sub(more) {
            Some(left) => self.left = left,
            None => return Err(Error::new(Halt::Memory)),
        }
        Ok(true)
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.grow(current, desired, 1, maximum)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        // What is left after `memory_growing` are the type's maximum, which is the guest's own business, and a machine
        // without memory, which must not become an answer. Only the latter comes with an error of the system.
        if error.is::<std::io::Error>() { Err(Error::new(Halt::Memory)) } else { Ok(()) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.grow(current, desired, ELEMENT, maximum)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        INSTANCES
    }
}
