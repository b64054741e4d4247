//! Saying why there is no key.

use crate::{Failure, Refusal};

impl Refusal {
    /// The operation is understood, and its outcome does not depend on known inputs alone.
    #[must_use]
    pub fn not_cacheable(reason: impl Into<String>) -> Self {
        Self::NotCacheable(reason.into())
    }

    /// The operation, the report or the configuration is not what it should be.
    #[must_use]
    pub fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(reason.into())
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::NotCacheable(reason) | Self::Malformed(reason) => reason,
        }
    }

    /// The reason, for whoever refuses something larger.
    #[must_use]
    pub fn into_reason(self) -> String {
        match self {
            Self::NotCacheable(reason) | Self::Malformed(reason) => reason,
        }
    }
}

impl Failure {
    /// The refusal of an operation for which `place` could not be looked at.
    ///
    /// ```
    /// # use reviver_sdk::{Refusal, read};
    /// # fn example() -> Result<(), Refusal> {
    /// let words = read("words.txt").map_err(|failure| failure.refusal("words.txt"))?;
    /// # Ok(())
    /// # }
    /// # assert_eq!(example().unwrap_err().reason(), "words.txt is absent");
    /// ```
    #[must_use]
    pub fn refusal(&self, place: &str) -> Refusal {
        Refusal::NotCacheable(match self {
            Self::Denied(reason) => [place, " may not be looked at: ", reason].concat(),
            Self::Absent => [place, " is absent"].concat(),
            Self::TooLarge(limit) => [place, " is larger than ", &limit.to_string(), " bytes"].concat(),
            Self::Failed(reason) => [place, " cannot be looked at: ", reason].concat(),
        })
    }
}
