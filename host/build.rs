//! Embeds the shipped plugins with their digests, which no run should have to compute again, and the SDK's sources.

#[path = "build/sdk.rs"]
mod sdk;

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// The shipped plugins and their roles, by name: the one list of them. Each has its crate in `plugins/NAME` and its
/// component in `plugins/components/NAME.wasm`, made by `REVIVER_RENEW=1 cargo test -p tests --test components`.
const SHIPPED: [(&str, &str); 7] = [
    ("evict-lru", "Eviction"),
    ("key-cc", "Key"),
    ("key-command", "Key"),
    ("key-rustc", "Key"),
    ("metadata-compact", "Metadata"),
    ("metadata-csexp", "Metadata"),
    ("metadata-json", "Metadata"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    sdk::embed(&workspace)?;
    let components = workspace.join("plugins/components");
    let mut names = String::new();
    let mut shipped = String::new();
    for (name, role) in SHIPPED {
        writeln!(names, "    {name:?},")?;
        let path = components.join(format!("{name}.wasm"));
        println!("cargo::rerun-if-changed={}", path.display());
        // One that was just added to the list has no component before the first renewal, which needs this crate.
        let Ok(component) = fs::read(&path) else {
            println!(
                "cargo::warning={name}.wasm is missing: REVIVER_RENEW=1 cargo test -p tests --test components"
            );
            continue;
        };
        let digest = blake3::hash(&component);
        writeln!(
            shipped,
            "    Shipped {{ name: {name:?}, role: Role::{role}, bytes: include_bytes!({:?}), digest: Digest::new({:?}) }},",
            path.display().to_string(),
            digest.as_bytes(),
        )?;
    }
    let source =
        format!("const NAMES: &[&str] = &[\n{names}];\nstatic SHIPPED: &[Shipped] = &[\n{shipped}];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("shipped.rs"), source)?;
    Ok(())
}
