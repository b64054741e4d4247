//! Recognising compilers by their names and languages by the names of their sources.
//!
//! The name of a driver decides which language a `.c` file is in, and nothing else: whether it is gcc or clang is asked
//! of the program itself, since `cc` may be either.

/// The languages that are understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    /// C.
    C,
    /// C++.
    Cxx,
    /// C behind the preprocessor.
    PreprocessedC,
    /// C++ behind the preprocessor.
    PreprocessedCxx,
    /// Assembly before the preprocessor.
    AssemblyWithCpp,
    /// Assembly.
    Assembly,
}

impl Language {
    /// The language that `-x` takes by this name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "c" => Self::C,
            "c++" => Self::Cxx,
            "cpp-output" => Self::PreprocessedC,
            "c++-cpp-output" => Self::PreprocessedCxx,
            "assembler-with-cpp" => Self::AssemblyWithCpp,
            "assembler" => Self::Assembly,
            _ => return None,
        })
    }

    /// The name of the language, by `-x`, in which headers are looked for as they are for this one.
    #[must_use]
    pub(crate) const fn of_headers(self) -> &'static str {
        match self {
            Self::C | Self::PreprocessedC => "c",
            Self::Cxx | Self::PreprocessedCxx => "c++",
            Self::AssemblyWithCpp | Self::Assembly => "assembler-with-cpp",
        }
    }

    /// The program of gcc's that reads the source, where it is not the assembler.
    #[must_use]
    pub(crate) const fn program(self) -> Option<&'static str> {
        match self {
            Self::C | Self::PreprocessedC | Self::AssemblyWithCpp => Some("cc1"),
            Self::Cxx | Self::PreprocessedCxx => Some("cc1plus"),
            Self::Assembly => None,
        }
    }

    /// Whether the source is preprocessed, so that it can include files and the compiler reports them.
    #[must_use]
    pub(crate) const fn is_preprocessed(self) -> bool {
        matches!(self, Self::C | Self::Cxx | Self::AssemblyWithCpp)
    }

    /// Whether the source is assembly.
    #[must_use]
    pub(crate) const fn is_assembly(self) -> bool {
        matches!(self, Self::AssemblyWithCpp | Self::Assembly)
    }
}

/// Names of drivers, without prefix and version, and whether they take C for C++.
const NAMES: [(&str, bool); 6] =
    [("gcc", false), ("cc", false), ("clang", false), ("g++", true), ("c++", true), ("clang++", true)];

/// Whether the driver of this name takes C sources for C++; `None` where the name is that of no driver.
///
/// `gcc-12`, `arm-linux-gnueabihf-gcc` and `x86_64-linux-gnu-g++-12` are such names, `my-gcc-wrapper` is none.
#[must_use]
pub(crate) fn recognise(name: &str) -> Option<bool> {
    let unversioned = match name.rsplit_once('-') {
        Some((before, version)) if is_version(version) => before,
        _ => name,
    };
    NAMES.iter().find_map(|(driver, cxx)| {
        let before = unversioned.strip_suffix(driver)?;
        (before.is_empty() || before.ends_with('-')).then_some(*cxx)
    })
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The language of a source by its suffix, or why it has none.
pub(crate) fn language_of(source: &str, cxx: bool) -> Result<Language, String> {
    let suffix = file_name(source).rsplit_once('.').map_or("", |(_, suffix)| suffix);
    match suffix {
        "c" if cxx => Ok(Language::Cxx),
        "c" => Ok(Language::C),
        "cc" | "cpp" | "cxx" | "C" | "c++" | "cp" | "CPP" => Ok(Language::Cxx),
        "h" | "hh" | "hpp" | "hxx" | "H" | "h++" | "tcc" => {
            Err(format!("`{source}` makes a precompiled header"))
        }
        "s" => Ok(Language::Assembly),
        "S" => Ok(Language::AssemblyWithCpp),
        "i" if cxx => Ok(Language::PreprocessedCxx),
        "i" => Ok(Language::PreprocessedC),
        "ii" => Ok(Language::PreprocessedCxx),
        _ => Err(format!("`{source}` is neither C nor C++ nor assembly")),
    }
}

/// What stands behind the last slash.
#[must_use]
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The path with what stands behind the last dot of its file name replaced by `suffix`, or with it appended.
#[must_use]
pub(crate) fn with_suffix(path: &str, suffix: &str) -> String {
    let name = file_name(path);
    let directory = &path[..path.len() - name.len()];
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    format!("{directory}{stem}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_recognised_with_prefixes_and_versions() {
        for name in
            ["gcc", "cc", "clang", "gcc-12", "clang-14", "gcc-4.9", "arm-linux-gnueabihf-gcc", "c99-gcc"]
        {
            assert_eq!(recognise(name), Some(false), "{name}");
        }
        for name in ["g++", "c++", "clang++", "clang++-14", "x86_64-linux-gnu-g++-12"] {
            assert_eq!(recognise(name), Some(true), "{name}");
        }
        for name in
            ["", "ld", "gccgo", "mygcc", "gcc-wrapper", "clang-tidy", "clang-cl", "gcc-ar-12", "cpp", "rustc"]
        {
            assert_eq!(recognise(name), None, "{name}");
        }
    }

    #[test]
    fn suffixes_decide_the_language() {
        assert_eq!(language_of("a/b.c", false), Ok(Language::C));
        assert_eq!(language_of("b.c", true), Ok(Language::Cxx));
        assert_eq!(language_of("b.C", false), Ok(Language::Cxx));
        assert_eq!(language_of("b.i", false), Ok(Language::PreprocessedC));
        assert_eq!(language_of("b.i", true), Ok(Language::PreprocessedCxx));
        assert_eq!(language_of("b.s", true), Ok(Language::Assembly));
        assert_eq!(language_of("b.S", true), Ok(Language::AssemblyWithCpp));
        // clang takes `.sx` for an object.
        for source in ["b.h", "b.sx", "b.m", "b.mii", "b", "b.o", "x.c/b"] {
            assert!(language_of(source, false).is_err(), "{source}");
        }
    }

    #[test]
    fn suffixes_are_replaced_in_the_file_name_alone() {
        assert_eq!(with_suffix("a.b/c.x.o", "d"), "a.b/c.x.d");
        assert_eq!(with_suffix("a.b/c", "d"), "a.b/c.d");
        assert_eq!(with_suffix(".o", "d"), ".o.d");
    }
}
