//! What a single option means beyond its text.

use crate::options::{
    DEBUG, EXACT, EXACT_SEARCH, FEATURES, FEATURES_JOINED, FEATURES_VALUED, MACHINE, MACHINE_VALUED, REFUSED,
    VALUED, VALUED_SEARCH,
};

/// What an understood option means beyond its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    /// Nothing.
    Plain,
    /// It may move the directories that are searched for headers, so the compiler has to be asked with it.
    Search,
    /// Debugging information: the working directory is embedded.
    Debug,
    /// The option ends debugging information.
    NoDebug,
}

/// What the option means, or why it is not understood.
pub(crate) fn meaning(option: &str) -> Result<Meaning, String> {
    if let Some((_, why)) = REFUSED.iter().find(|(start, _)| option.starts_with(start)) {
        return Err(format!("`{option}` {why}"));
    }
    let unknown = || format!("`{option}` is not an option that is understood");
    if holds(EXACT, option) || is_warning(option) {
        return Ok(Meaning::Plain);
    }
    if holds(EXACT_SEARCH, option) || starts(VALUED_SEARCH, option) {
        return Ok(Meaning::Search);
    }
    if option == "-g0" {
        return Ok(Meaning::NoDebug);
    }
    if holds(DEBUG, option) {
        return Ok(Meaning::Debug);
    }
    if starts(VALUED, option) {
        return Ok(Meaning::Plain);
    }
    if let Some(feature) = option.strip_prefix("-f") {
        let understood = named(FEATURES, FEATURES_VALUED, feature) || starts(FEATURES_JOINED, feature);
        return if understood { Ok(Meaning::Plain) } else { Err(unknown()) };
    }
    if let Some(machine) = option.strip_prefix("-m") {
        if machine.contains("=native") {
            return Err(format!("`{option}` means the machine that it runs on"));
        }
        return if named(MACHINE, MACHINE_VALUED, machine) { Ok(Meaning::Search) } else { Err(unknown()) };
    }
    Err(unknown())
}

/// Diagnostics name no files; what is passed on by `-Wa,` and the like is refused before.
fn is_warning(option: &str) -> bool {
    option.strip_prefix("-W").is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-+=_#:<".contains(c))
    })
}

fn named(names: &str, valued: &str, option: &str) -> bool {
    match option.split_once('=') {
        Some((name, value)) => !value.is_empty() && holds(valued, name),
        None => holds(names, option.strip_prefix("no-").unwrap_or(option)),
    }
}

/// Whether a list of whole options holds one.
pub(crate) fn holds(list: &str, option: &str) -> bool {
    list.split_ascii_whitespace().any(|entry| entry == option)
}

/// Whether an option begins as one of a list does, and goes on.
pub(crate) fn starts(list: &str, option: &str) -> bool {
    list.split_ascii_whitespace().any(|start| option.len() > start.len() && option.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_options_are_understood() {
        let options = "-O2 -Wall -Wno-unused -Werror=format-security -Wformat=2 -fPIC -fno-common -fstack-protector-strong \
            -fvisibility=hidden -fno-exceptions -fno-rtti -fomit-frame-pointer -ffunction-sections -fdata-sections \
            -fno-strict-aliasing -fwrapv -fsigned-char -fstack-clash-protection -fcf-protection -fcf-protection=full \
            -fdiagnostics-color=always -ffast-math -fno-plt -fmax-errors=5 -fmessage-length=0 -ftemplate-depth=900 \
            -fopenmp -fmacro-prefix-map=/a=b -ffile-prefix-map=/a=b -fdebug-prefix-map=/a=b -pthread -pipe -fno-pie \
            -fsanitize=address -fno-sanitize-recover=all -fno-builtin-memcpy -ffixed-r15 -fno-tree-ccp -fipa-modref \
            -fno-weak -ffat-lto-objects -fxray-instrument -fsanitize-coverage=trace-pc-guard -fno-trampolines -H";
        for option in options.split_ascii_whitespace() {
            assert!(meaning(option).is_ok(), "{option}: {:?}", meaning(option));
        }
    }

    #[test]
    fn machine_options_move_the_search() {
        for option in [
            "-m32",
            "-m64",
            "-march=armv7-a",
            "-mtune=generic",
            "-msse4.2",
            "-mno-avx",
            "-mfpu=neon",
            "-mthumb",
        ] {
            assert_eq!(meaning(option), Ok(Meaning::Search), "{option}");
        }
    }

    #[test]
    fn debugging_information_is_told_apart() {
        assert_eq!(meaning("-g"), Ok(Meaning::Debug));
        assert_eq!(meaning("-gdwarf-4"), Ok(Meaning::Debug));
        assert_eq!(meaning("-g0"), Ok(Meaning::NoDebug));
        assert!(meaning("-gfoo").is_err());
    }

    #[test]
    fn what_is_on_no_list_is_refused_with_its_name() {
        let options = "-march=native -mtune=native -mcpu=native -mfoo -ffoo -fvisibility -fno-visibility=x -fplugin=a.so \
            -fprofile-use=a -fprofile-generate -specs=a -wrapper -B/usr -Xclang \
            -Xpreprocessor -Xassembler -Wa,-g -Wl,-z -Wp,-foo -W,x -frecord-command-line -frecord-gcc-switches \
            -grecord-command-line -fmodules -fmodules-ts -fsanitize-blacklist=a -fsanitize-ignorelist=a \
            -fdump-tree-all -dumpbase -save-temps -save-temps=obj -ftime-trace -ftime-report -fsyntax-only -v -E -M -MM -MG \
            -O4 -P -C --foo -nope -fopt-info-vec=a -foptimization-record-file=a -fsave-optimization-record -\
            -include-pch -ivfsoverlay --config=a -fpch-preprocess -fdirectives-only -F/a -Q";
        for option in options.split_ascii_whitespace() {
            let why = meaning(option).expect_err(option);
            assert!(why.contains(&format!("`{option}`")), "{why}");
        }
    }
}
