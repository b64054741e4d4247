//! How large an answer is: the bytes in its texts and lists, and a few for each value.

use super::bindings::types::{Chunk, Derivation, Discovery, Ingredient, Outcome, Refusal, Source, Write};

/// What a text or a list counts for besides what it holds, so that many empty ones are not free.
const EACH: u64 = 8;

/// Something with a size.
pub(super) trait Size {
    /// The size in bytes.
    fn size(&self) -> u64;
}

impl Size for String {
    fn size(&self) -> u64 {
        EACH + self.len() as u64
    }
}

impl Size for u8 {
    fn size(&self) -> u64 {
        1
    }
}

impl Size for f64 {
    fn size(&self) -> u64 {
        8
    }
}

impl<T: Size> Size for Vec<T> {
    fn size(&self) -> u64 {
        EACH + self.iter().map(Size::size).sum::<u64>()
    }
}

impl<T: Size> Size for Option<T> {
    fn size(&self) -> u64 {
        self.as_ref().map_or(0, Size::size)
    }
}

impl<A: Size, B: Size> Size for (A, B) {
    fn size(&self) -> u64 {
        self.0.size() + self.1.size()
    }
}

impl Size for Source {
    fn size(&self) -> u64 {
        match self {
            Self::Text(text)
            | Self::File(text)
            | Self::Tree(text)
            | Self::Listing(text)
            | Self::Variable(text)
            | Self::Program(text) => text.size(),
            Self::Bytes(bytes) => EACH + bytes.len() as u64,
            Self::Umask | Self::Terminal => EACH,
        }
    }
}

impl Size for Ingredient {
    fn size(&self) -> u64 {
        self.label.size() + self.source.size()
    }
}

impl Size for Write {
    fn size(&self) -> u64 {
        self.label.size() + self.path.size()
    }
}

impl Size for Derivation {
    fn size(&self) -> u64 {
        let Self { label, ingredients, writes, input: _, arguments, report } = self;
        label.size() + ingredients.size() + writes.size() + arguments.size() + report.size()
    }
}

impl Size for Discovery {
    fn size(&self) -> u64 {
        self.ingredients.size() + self.produced.size() + self.uncacheable.size()
    }
}

impl Size for Refusal {
    fn size(&self) -> u64 {
        match self {
            Self::NotCacheable(reason) | Self::Malformed(reason) => reason.size(),
        }
    }
}

impl Size for Chunk {
    fn size(&self) -> u64 {
        EACH + self.bytes.len() as u64
    }
}

impl Size for Outcome {
    fn size(&self) -> u64 {
        self.output.size() + self.notes.size()
    }
}
