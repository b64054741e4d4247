//! What an ingredient resolved to, and how that enters keys.

use crate::bytes::{Layout, Malformed, Reader, Writer};
use crate::digest::{Digest, Framer};
use crate::operation::{Ingredient, Source};

/// What a source resolved to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// There is no such file, directory, variable or program.
    Absent,
    /// A directory where a file was asked for.
    Directory,
    /// A regular file.
    File {
        /// Its content.
        content: Digest,
        /// Whether anybody may execute it.
        executable: bool,
    },
    /// Anything else, by its digest.
    Other(Digest),
}

impl Value {
    /// The value of some bytes that are known themselves.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::Other(Digest::of(bytes))
    }

    /// This value as it may be kept on disk: a variable's value is hashed together with the cache directory's secret, so
    /// that what is kept tells equal from different and nothing else.
    #[must_use]
    pub fn sealed(self, source: &Source, secret: &Digest) -> Self {
        match (source, self) {
            (Source::Variable(_), Self::Other(digest)) => {
                Self::Other(Framer::new("reviver.sealed").digest(*secret).digest(digest).finish())
            }
            _ => self,
        }
    }

    fn frame(self, framer: &mut Framer) {
        match self {
            Self::Absent => framer.number(0),
            Self::Directory => framer.number(1),
            Self::File { content, executable } => framer.number(2 + u64::from(executable)).digest(content),
            Self::Other(digest) => framer.number(4).digest(digest),
        };
    }
}

/// What ingredients are called and of which kinds they are, as one digest: it stands for a list in a key, beside the values.
#[must_use]
pub fn names(ingredients: &[Ingredient]) -> Digest {
    let mut framer = Framer::new("reviver.names");
    framer.number(ingredients.len() as u64);
    for ingredient in ingredients {
        framer.text(&ingredient.label).text(ingredient.source.kind());
    }
    framer.finish()
}

/// Adds values to a key.
pub fn frame(framer: &mut Framer, values: &[Value]) {
    framer.reserve(values.len() * (Digest::SIZE + 8)).number(values.len() as u64);
    for value in values {
        value.frame(framer);
    }
}

impl Layout for Value {
    fn put(&self, out: &mut Writer) {
        match self {
            Self::Absent => out.u8(0),
            Self::Directory => out.u8(1),
            Self::File { content, executable } => {
                out.u8(2 + u8::from(*executable));
                content.put(out);
            }
            Self::Other(digest) => {
                out.u8(4);
                digest.put(out);
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.u8()? {
            0 => Self::Absent,
            1 => Self::Directory,
            kind @ (2 | 3) => Self::File { content: Digest::take(from)?, executable: kind == 3 },
            4 => Self::Other(Digest::take(from)?),
            _ => return Err(Malformed { expected: "a kind of value" }),
        })
    }
}
