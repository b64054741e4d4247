//! Putting a derivation together.

use crate::{Derivation, Ingredient, Input, Write};

impl Derivation {
    /// A derivation that is called `label`, without ingredients and writes. Standard input is taken to matter until
    /// [`input_unused`](Self::input_unused) says otherwise.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ingredients: Vec::new(),
            writes: Vec::new(),
            input: Input::Read,
            arguments: None,
            report: None,
        }
    }

    /// The same with one more ingredient.
    #[must_use]
    pub fn ingredient(mut self, ingredient: Ingredient) -> Self {
        self.ingredients.push(ingredient);
        self
    }

    /// The same with more ingredients.
    #[must_use]
    pub fn ingredients(mut self, ingredients: impl IntoIterator<Item = Ingredient>) -> Self {
        self.ingredients.extend(ingredients);
        self
    }

    /// The same with one more write.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// The same with more writes.
    #[must_use]
    pub fn writes(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes.extend(writes);
        self
    }

    /// The same for a command that does not read its standard input.
    #[must_use]
    pub fn input_unused(self) -> Self {
        Self { input: Input::Unused, ..self }
    }

    /// The same with the arguments behind the program replaced when the command runs. Any may hold
    /// [`REPORT`](crate::REPORT). Needs the capability `arguments`.
    #[must_use]
    pub fn arguments<T: Into<String>>(self, arguments: impl IntoIterator<Item = T>) -> Self {
        Self { arguments: Some(arguments.into_iter().map(Into::into).collect()), ..self }
    }

    /// The same with `discover` called after the run, on the write of this label or on the private file
    /// [`REPORT`](crate::REPORT).
    #[must_use]
    pub fn report(self, label: impl Into<String>) -> Self {
        Self { report: Some(label.into()), ..self }
    }
}
