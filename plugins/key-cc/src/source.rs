//! Sources that are not preprocessed, of which no compiler makes a report.
//!
//! Such a source is all that is read, unless its text names further files: what assembly includes, and what clang looks
//! for even behind the preprocessor. Both are refused.

use reviver_sdk::{read, scan};

use crate::directive::{self, Finding, NEEDLES, findings};
use crate::driver::Language;
use crate::plan::reason;

/// What makes assembly read a file, in small letters: an assembler takes both.
const ASSEMBLY: [&str; 3] = [".include", "incbin", ".mri"];

/// The files that line markers of a preprocessed source name: gcc quotes them in its messages.
pub(crate) fn quoted(path: &str, language: Language) -> Result<Vec<String>, String> {
    if !matches!(language, Language::PreprocessedC | Language::PreprocessedCxx) {
        return Ok(Vec::new());
    }
    let lines = scan(path, &["# ", "#line"])
        .map_err(|failure| format!("`{path}` cannot be searched: {}", reason(&failure)))?;
    let mut names = Vec::new();
    for line in lines {
        let line = String::from_utf8_lossy(&line.line);
        let marker = line.strip_prefix("#line").or_else(|| line.strip_prefix('#'));
        match marker.and_then(directive::quoted) {
            Some(Finding::Quoted(name)) if !names.contains(&name) => names.push(name),
            Some(Finding::Never(why)) => return Err(format!("`{path}` {why}")),
            _ => {}
        }
    }
    Ok(names)
}

/// Why more than this source is read, where that cannot be excluded.
pub(crate) fn check(path: &str, language: Language) -> Result<(), String> {
    match language {
        Language::Assembly => assembly(path),
        Language::PreprocessedC | Language::PreprocessedCxx => preprocessed(path),
        Language::C | Language::Cxx | Language::AssemblyWithCpp => Ok(()),
    }
}

fn assembly(path: &str) -> Result<(), String> {
    let mut text = read(path).map_err(|failure| format!("`{path}` cannot be read: {}", reason(&failure)))?;
    text.make_ascii_lowercase();
    let word = ASSEMBLY.iter().find(|word| text.windows(word.len()).any(|it| it == word.as_bytes()));
    word.map_or(Ok(()), |word| Err(format!("`{path}` holds `{word}`, whose file no report names")))
}

fn preprocessed(path: &str) -> Result<(), String> {
    let lines = scan(path, &NEEDLES)
        .map_err(|failure| format!("`{path}` cannot be searched: {}", reason(&failure)))?;
    let mut found = Vec::new();
    for line in lines {
        findings(line.needle, &line.line, false, &mut found);
    }
    match found.iter().find(|finding| !matches!(finding, Finding::SystemHeader | Finding::Quoted(_))) {
        None => Ok(()),
        Some(Finding::Never(why)) => Err(format!("`{path}` {why}")),
        Some(_) => Err(format!("`{path}` holds a directive or a date, and was preprocessed")),
    }
}
