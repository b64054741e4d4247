//! One request, one answer.

use super::{Client, ClientError};
use crate::protocol::own::Request;
use crate::protocol::own::reply::{
    Again, Derived, Forgotten, Found, Hashed, Named, Recorded, Revived, Stats, Trimmed,
};
use crate::protocol::own::request::{Derive, Ran, Record, Revive, Which};
use std::path::Path;

impl Client {
    /// Names the repository that all else is about: that around an absolute directory. Once, before anything else.
    pub fn repository(&mut self, path: &Path) -> Result<Named, ClientError> {
        self.ask(&Request::Repository { path: path.to_owned() })
    }

    /// Binds a name to files.
    pub fn record(&mut self, record: Record) -> Result<Recorded, ClientError> {
        self.ask(&Request::Record(record))
    }

    /// What is bound to a key.
    pub fn find(&mut self, which: Which) -> Result<Found, ClientError> {
        self.ask(&Request::Find(which))
    }

    /// Makes an entry's files again, all or none.
    pub fn revive(&mut self, revive: Revive) -> Result<Revived, ClientError> {
        self.ask(&Request::Revive(revive))
    }

    /// Has an operation named and looked up. It stays open until it is revived, recorded or forgotten.
    pub fn derive(&mut self, derive: Derive) -> Result<Derived, ClientError> {
        self.ask(&Request::Derive(derive))
    }

    /// Makes again what an operation did that was found.
    pub fn revive_operation(&mut self, operation: u64) -> Result<Again, ClientError> {
        self.ask(&Request::ReviveOperation { operation })
    }

    /// Says how an operation went that was not found, to be recorded.
    pub fn record_operation(&mut self, ran: Ran) -> Result<Recorded, ClientError> {
        self.ask(&Request::RecordOperation(ran))
    }

    /// Closes an operation: what it holds is let go.
    pub fn forget(&mut self, operation: u64) -> Result<Forgotten, ClientError> {
        self.ask(&Request::Forget { operation })
    }

    /// The digest of a file.
    pub fn hash(&mut self, path: &Path) -> Result<Hashed, ClientError> {
        self.ask(&Request::Hash { path: path.to_owned() })
    }

    /// How much is there, and how often what happened.
    pub fn stats(&mut self) -> Result<Stats, ClientError> {
        self.ask(&Request::Stats)
    }

    /// Brings the cache under a limit of bytes; without one, under the user's.
    pub fn trim(&mut self, size: Option<u64>) -> Result<Trimmed, ClientError> {
        self.ask(&Request::Trim { size })
    }
}
