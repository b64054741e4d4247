//! A key plugin with the fault that its configuration asks for; with none it keeps all laws.

use reviver_sdk::{Derivation, Ingredient, KeyPlugin, Operation, Refusal, Write, configuration};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// How often this instance was asked.
static ASKED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// What this instance was ever asked to run.
    static KNOWN: RefCell<HashMap<String, usize>> = RefCell::new(HashMap::new());
}

/// Whatever is asked for.
#[derive(Debug)]
pub struct Planted;

impl KeyPlugin for Planted {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        let configuration = configuration()?;
        let fault = configuration.text("fault")?.unwrap_or_default().to_owned();
        let is = |name: &str| fault == name;
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        if is("panic") && operation.argv.len() > 2 {
            panic!("planted");
        }
        let mut derivation =
            Derivation::new("planted").ingredient(Ingredient::program("program", operation.program()));
        if !is("arguments-ignored") {
            derivation = derivation.ingredient(Ingredient::text("arguments", operation.argv.join("\n")));
        }
        if !is("reads-ignored") {
            let read = |path: &String| {
                let label = ["read ", path].concat();
                if path.ends_with('/') {
                    Ingredient::tree(label, path)
                } else {
                    Ingredient::file(label, path)
                }
            };
            derivation = derivation.ingredients(operation.reads.iter().map(read));
        }
        if !is("variables-ignored") {
            let variable = |name: &String| Ingredient::variable(["variable ", name].concat(), name);
            derivation = derivation.ingredients(operation.variables.iter().map(variable));
        }
        let text = |label: &str, text: String| Ingredient::text(label, text);
        derivation = match &*fault {
            "hash-order" => derivation.ingredient(text("seen", map_order(operation))),
            "kept-map" => derivation.ingredient(text("known", known(operation))),
            "counter" => derivation.ingredient(text("asked", asked.to_string())),
            "address" => derivation.ingredient(text("address", address())),
            "root" => derivation.ingredient(text("root", operation.root.clone())),
            "variable-order" => derivation.ingredient(text("order", operation.variables.join(","))),
            "whole-directory" => derivation.ingredient(Ingredient::tree("all", "./")),
            _ => derivation,
        };
        Ok(derivation.writes(operation.writes.iter().enumerate().map(|(at, path)| {
            let label = ["write ", &at.to_string()].concat();
            if path.ends_with('/') { Write::directory(label, path) } else { Write::either(label, path) }
        })))
    }
}

/// The order of a map, whose seed is the next one each time an instance makes one.
fn map_order(operation: &Operation) -> String {
    let words = operation.argv.iter().chain(&operation.reads).cloned().chain((0..16).map(|n| n.to_string()));
    let map: HashMap<String, ()> = words.map(|word| (word, ())).collect();
    map.into_keys().collect::<Vec<_>>().join(",")
}

/// A map that is kept from question to question.
fn known(operation: &Operation) -> String {
    KNOWN.with_borrow_mut(|known| {
        known.insert(operation.argv.join(" "), operation.reads.len());
        known.len().to_string()
    })
}

/// Where the next box is: memory that was given back is used again otherwise.
fn address() -> String {
    let kept: &'static mut [u8] = Box::leak(Box::new([0; 64]));
    format!("{:p}", kept.as_ptr())
}

reviver_sdk::export!(key: Planted);
