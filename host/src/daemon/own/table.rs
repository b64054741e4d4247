//! The operations of a connection that are not closed, by their numbers.

use super::globs::Globs;
use super::refusal::Refused;
use crate::protocol::own::{Code, OPERATIONS};
use crate::reviver::attempt::{self, Pending};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An operation that is not closed, with the name of the plugin that named it.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) plugin: String,
    pub(super) globs: Option<Globs>,
    pub(super) state: State,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum State {
    /// It is known, and can be revived.
    Found(Box<attempt::Found>),
    /// The client runs it.
    Open(Box<Pending>),
    /// Others take its writes for held as long as this is kept.
    Again { _held: attempt::Again },
}

/// The operations of a connection that are not closed.
#[derive(Debug, Default)]
pub(super) struct Operations(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    /// How many are about to be in it.
    coming: usize,
    all: HashMap<u64, Operation>,
}

/// Room for one more operation.
pub(super) struct Room<'a>(&'a Operations);

impl Operations {
    /// Takes an operation out.
    pub(super) fn take(&self, number: u64) -> Result<Operation, Refused> {
        let unknown =
            || Refused::because(Code::UnknownOperation, format_args!("no operation {number} is open"));
        self.table().all.remove(&number).ok_or_else(unknown)
    }

    /// Puts one back that stays open.
    pub(super) fn put_back(&self, number: u64, operation: Operation) {
        self.table().all.insert(number, operation);
    }

    /// Room for one more, where there is any.
    pub(super) fn room(&self) -> Result<Room<'_>, Refused> {
        let mut table = self.table();
        if table.all.len() + table.coming >= OPERATIONS {
            return Err(Refused::because(Code::TooMany, format_args!("{OPERATIONS} operations are open")));
        }
        table.coming += 1;
        Ok(Room(self))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing is half done where a thread could end.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room<'_> {
    /// Puts it in; its number.
    pub(super) fn fill(self, operation: Operation) -> u64 {
        let mut table = self.0.table();
        table.last += 1;
        let number = table.last;
        table.all.insert(number, operation);
        number
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.table().coming -= 1;
    }
}
