//! Options that the driver passes on to another program: `-Wa,`, `-Xassembler`, `-Xclang`, `-Xpreprocessor`, `-mllvm`.
//!
//! The same holds for them as for the driver's own, with lists that are short: what reads or writes a file, or is on no
//! list, is refused.

use crate::meaning::{holds, starts};

/// Options of assemblers that are understood as a whole.
const ASSEMBLER: &str = "--noexecstack --execstack --fatal-warnings --warn --no-warn -W --reduce-memory-overheads \
    --no-pad-sections --divide --32 --64 --x32 -L --keep-locals --strip-local-absolute --nocompress-debug-sections \
    --compress-debug-sections -mbranches-within-32B-boundaries -momit-lock-prefix=no -mshared -mno-shared \
    --gdwarf-sections -mthumb -mnaked-reg --crel -D -J -K";

/// Beginnings of options of assemblers whose remainder is a value.
const ASSEMBLER_VALUED: &str = "-mrelax-relocations= -march= -mcpu= -mtune= -mfpu= -mmnemonic= -msyntax= -mx86-used-note= \
    -malign-branch= -malign-branch-boundary= -malign-branch-prefix-size= -mlfence- -mfence-as-lock-add= \
    --compress-debug-sections= --hash-size= --elf-stt-common= --generate-missing-build-notes= -mimplicit-it= \
    -mevexlig= -mevexwig= -mvexwig= -msse-check= -moperand-check= -madd-bnd-prefix";

/// Options of clang's own compiler that are understood as a whole.
const CLANG: &str = "-disable-O0-optnone -disable-llvm-passes -disable-llvm-verifier -disable-lifetime-markers \
    -fopenmp -vectorize-loops -vectorize-slp -fno-opaque-pointers -no-opaque-pointers -opaque-pointers \
    -fallow-half-arguments-and-returns -fnative-half-type -fcolor-diagnostics -mrelax-all -mnoexecstack -msave-temp-labels";

/// Beginnings of options of LLVM whose remainder is a value.
const LLVM: &str = "-inline-threshold= -inlinehint-threshold= -inlinecold-threshold= -unroll-threshold= -unroll-count= \
    -instcombine-lower-dbg-declare= -enable-dfa-jump-thread= -asan-stack= -asan-globals= \
    -asan-instrumentation-with-call-threshold= -x86-asm-syntax= -enable-split-machine-functions= -stack-alignment= \
    -generate-type-units= -import-instr-limit= -sanitizer-coverage-prune-blocks= -arm-implicit-it=";

/// Why an argument that is passed by `option` is not understood.
fn unknown(option: &str, value: &str) -> String {
    format!("`{option}{value}` passes an option that is not understood")
}

/// Options for the assembler, separated by commas.
pub(crate) fn to_assembler(option: &str, list: &str) -> Result<(), String> {
    let mut values = list.split(',');
    while let Some(value) = values.next() {
        let defines = value == "--defsym" && values.next().is_some_and(|symbol| symbol.contains('='));
        if !defines && !holds(ASSEMBLER, value) && !starts(ASSEMBLER_VALUED, value) {
            return Err(match value {
                _ if value.starts_with("-g") || value.starts_with("--g") => {
                    format!("`{option}{value}` embeds the name of a temporary file")
                }
                _ => unknown(option, value),
            });
        }
    }
    Ok(())
}

/// An option for the preprocessor alone.
pub(crate) fn to_preprocessor(option: &str, value: &str) -> Result<(), String> {
    if value == "-fopenmp" { Ok(()) } else { Err(unknown(option, value)) }
}

/// An option for clang's own compiler.
pub(crate) fn to_clang(value: &str) -> Result<(), String> {
    if holds(CLANG, value) { Ok(()) } else { Err(unknown("-Xclang ", value)) }
}

/// An option for LLVM.
pub(crate) fn to_llvm(value: &str) -> Result<(), String> {
    if starts(LLVM, value) && !value.contains('/') { Ok(()) } else { Err(unknown("-mllvm ", value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_or_writes_is_not_passed_to_the_assembler() {
        for list in ["--noexecstack", "-W,--fatal-warnings", "-mrelax-relocations=no", "--defsym,A=1,--64"] {
            assert_eq!(to_assembler("-Wa,", list), Ok(()), "{list}");
        }
        for list in [
            "-a",
            "-adhln=x.lst",
            "-I,x",
            "-Ix",
            "--MD,x",
            "-MD",
            "-o,x",
            "-g",
            "--gdwarf-5",
            "--defsym",
            "--defsym,A",
            "",
            "@x",
        ] {
            assert!(to_assembler("-Wa,", list).is_err(), "{list}");
        }
    }

    #[test]
    fn what_is_on_no_list_is_not_passed_on() {
        assert_eq!(to_clang("-disable-O0-optnone"), Ok(()));
        assert_eq!(to_llvm("-inline-threshold=5"), Ok(()));
        for value in ["-load", "-emit-pch", "-include-pch", "-add-plugin", "a", ""] {
            assert!(to_clang(value).is_err() && to_llvm(value).is_err(), "{value}");
        }
        assert!(to_preprocessor("-Xpreprocessor ", "-MD").is_err());
    }
}
