//! Keys of rules and digests of files: 16 bytes each, which are not to be taken for each other.

use super::MessageError;
use crate::protocol::csexp::Sexp;
use std::fmt;

macro_rules! sixteen {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Of these bytes.
            #[must_use]
            pub const fn new(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Of 32 hexadecimal digits in either case.
            #[must_use]
            pub fn from_hex(text: &[u8]) -> Option<Self> {
                let text: &[u8; 32] = text.try_into().ok()?;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let mut bytes = [0; 16];
                for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
                    *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
                }
                Some(Self(bytes))
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// What it is on the wire.
            #[must_use]
            pub fn to_sexp(self) -> Sexp {
                Sexp::atom(self.to_string())
            }

            /// The one that an atom says.
            pub fn from_sexp(value: &Sexp) -> Result<Self, MessageError> {
                // A list is not shown: it may be as large as a message.
                let text = value.as_atom().ok_or_else(|| MessageError::Key("(...)".to_owned()))?;
                Self::from_hex(text).ok_or_else(|| MessageError::Key(super::shown(text)))
            }
        }

        /// 32 hexadecimal digits in lower case.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

sixteen! {
    /// What Dune finds the results of a rule by. How it is made is Dune's own affair.
    RuleKey
}

sixteen! {
    /// What Dune names a file's content and executable bit by.
    FileDigest
}
