//! A plugin as the host holds it: where its component is, and what it may use.

use super::capability::Capabilities;
use super::contract::ABI;
use super::limits::Limits;
use crate::digest::{Digest, Framer};
use crate::policy::{FaultKind, PolicyId};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

/// Where a component's bytes are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bytes {
    /// In the host itself.
    Embedded(&'static [u8]),
    /// In this file.
    File(PathBuf),
}

/// A plugin that can be called. Nothing is read or compiled before the first call, and nothing is read at all where a
/// compiled component with this digest is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginSource {
    /// Its name in the repository, or the one that it was shipped under.
    pub name: String,
    /// Where its component is.
    pub bytes: Bytes,
    /// The digest of the component: what the host shipped, or what the lock file pins. Other bytes are refused.
    pub digest: Digest,
    /// Its configuration, a JSON object with sorted keys.
    pub configuration: String,
    /// What one call may use.
    pub limits: Limits,
    /// What it may do.
    pub capabilities: Capabilities,
}

impl PluginSource {
    /// What bounds the plugin's answers besides its [id](Self::id): its limits, and what it may do. An answer that was
    /// remembered under other bounds is not its answer.
    #[must_use]
    pub fn bounds(&self) -> Digest {
        let mut framer = Framer::new("reviver.bounds");
        framer.digest(self.limits.digest());
        for capability in self.capabilities.iter() {
            framer.text(capability.name());
        }
        framer.finish()
    }

    pub(super) fn id(&self) -> PolicyId {
        PolicyId {
            name: self.name.clone(),
            component: self.digest,
            configuration: self.configuration.clone(),
            abi: ABI.to_owned(),
        }
    }

    /// The component's bytes.
    ///
    /// | | |
    /// |---|---|
    /// | there, within the limit, with the digest that was pinned | `Ok` |
    /// | anything else | `Load` that says what |
    pub(super) fn read(&self) -> Result<Vec<u8>, FaultKind> {
        let limit = self.limits.component;
        let bytes = match &self.bytes {
            Bytes::Embedded(bytes) => bytes.to_vec(),
            Bytes::File(path) => {
                let cannot = |error| FaultKind::Load(format!("{}: {error}", path.display()));
                let mut bytes = Vec::new();
                File::open(path)
                    .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
                    .map_err(cannot)?;
                bytes
            }
        };
        if bytes.len() as u64 > limit {
            return Err(FaultKind::Load(format!("the component is larger than {limit} bytes")));
        }
        let digest = Digest::of(&bytes);
        if digest != self.digest {
            let (is, pinned) = (digest.short(), self.digest.short());
            return Err(FaultKind::Load(format!("the component's digest is {is}, and not {pinned}")));
        }
        Ok(bytes)
    }
}
