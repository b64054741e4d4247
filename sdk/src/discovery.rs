//! Putting a discovery together.

use crate::{Discovery, Ingredient};

impl Discovery {
    /// A discovery of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { ingredients: Vec::new(), produced: Vec::new(), uncacheable: None }
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

    /// The same with the content of the write `label`, which the plugin makes itself.
    #[must_use]
    pub fn produced(mut self, label: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.produced.push((label.into(), content.into()));
        self
    }

    /// The same for a run that must not be recorded, for this reason.
    #[must_use]
    pub fn uncacheable(self, reason: impl Into<String>) -> Self {
        Self { uncacheable: Some(reason.into()), ..self }
    }
}

impl Default for Discovery {
    fn default() -> Self {
        Self::new()
    }
}
