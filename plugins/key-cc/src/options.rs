//! The options that are understood, as data.
//!
//! An option is on these lists when all three hold: it names no file that the compiler reads, it makes no further
//! file, and what it does depends on its text alone. Its text enters the key, so nothing more has to be known of it.
//! There is no blanket for `-f`, `-m` or `-g`: what is on no list is refused.

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

/// Options that are understood as a whole.
const EXACT: &str = "-c -w -pipe -pedantic -pedantic-errors -trigraphs -undef -Qunused-arguments -s -pie -no-pie \
    -static -shared -rdynamic -static-libgcc -static-libstdc++ -nostdlib -nodefaultlibs -nostartfiles -static-pie \
    -O -O0 -O1 -O2 -O3 -Os -Og -Oz -Ofast -Wall -Wextra -W";

/// Options that are understood as a whole and may move the searched directories.
const EXACT_SEARCH: &str = "-ansi -pthread -nostdinc -nostdinc++ -no-canonical-prefixes -ffreestanding";

/// Beginnings of options whose remainder is a value, and that may move the searched directories.
const VALUED_SEARCH: &str = "-std= -stdlib= --sysroot=/ --target=";

/// Beginnings of options whose remainder is a value.
const VALUED: &str = "-L -l --param=";

/// Names of `-f` options, which may have `no-` before them.
const FEATURES: &str = "PIC pic PIE pie plt common builtin exceptions rtti inline inline-functions \
    inline-small-functions inline-functions-called-once unroll-loops unroll-all-loops peel-loops omit-frame-pointer \
    optimize-sibling-calls function-sections data-sections strict-aliasing strict-overflow wrapv wrapv-pointer trapv \
    signed-char unsigned-char signed-bitfields unsigned-bitfields short-enums short-wchar stack-protector \
    stack-protector-all stack-protector-strong stack-protector-explicit stack-clash-protection stack-check \
    cf-protection fast-math math-errno finite-math-only signed-zeros signaling-nans trapping-math rounding-math \
    associative-math reciprocal-math unsafe-math-optimizations cx-limited-range openmp openmp-simd \
    diagnostics-show-option diagnostics-show-caret diagnostics-color color-diagnostics caret-diagnostics \
    diagnostics-generate-patch diagnostics-show-template-tree elide-type show-column asynchronous-unwind-tables \
    unwind-tables non-call-exceptions delete-null-pointer-checks tree-vectorize tree-slp-vectorize vectorize \
    slp-vectorize tree-loop-vectorize tree-loop-distribute-patterns tree-pre tree-vrp tree-sra gcse gcse-sm gcse-las \
    ivopts ipa-cp ipa-cp-clone ipa-pta ipa-sra ipa-icf reorder-blocks reorder-functions \
    reorder-blocks-and-partition schedule-insns schedule-insns2 split-stack toplevel-reorder \
    unit-at-a-time keep-inline-functions keep-static-consts merge-constants merge-all-constants zero-initialized-in-bss \
    semantic-interposition visibility-inlines-hidden visibility-ms-compat threadsafe-statics use-cxa-atexit \
    access-control permissive coroutines concepts char8_t sized-deallocation aligned-new gnu-keywords \
    gnu89-inline gnu-unique implicit-templates operator-names strict-enums extended-identifiers \
    dollars-in-identifiers lax-vector-conversions ms-extensions plan9-extensions hosted asm \
    prefetch-loop-arrays tracer web rename-registers crossjumping thread-jumps if-conversion if-conversion2 \
    expensive-optimizations caller-saves jump-tables guess-branch-probability branch-count-reg \
    version-loops-for-strides split-loops unswitch-loops loop-interchange code-hoisting devirtualize \
    devirtualize-speculatively lifetime-dse stdarg-opt ident verbose-asm leading-underscore direct-access-external-data \
    emulated-tls allow-store-data-races harden-compares harden-conditional-branches \
    integrated-as unique-section-names addrsig discard-value-names spell-checking zero-call-used-regs ssa-phiopt \
    tree-dse tree-dce tree-ter tree-ch tree-fre tree-copy-prop early-inlining partial-inlining shrink-wrap \
    section-anchors sched-interblock sched-spec align-functions align-loops align-jumps align-labels \
    sanitize-recover sanitize-trap approx-func honor-nans honor-infinities strict-float-cast-overflow \
    strict-flex-arrays force-emit-vtables protect-parens \
    debug-types-section eliminate-unused-debug-types eliminate-unused-debug-symbols var-tracking \
    var-tracking-assignments standalone-debug limit-debug-info debug-macro";

/// Names of `-f` options that take a value behind `=`; some of them may have `no-` before them.
const FEATURES_VALUED: &str = "visibility diagnostics-color diagnostics-format diagnostics-column-unit \
    diagnostics-show-location diagnostics-urls diagnostics-minimum-width max-errors error-limit message-length \
    template-depth template-backtrace-limit constexpr-depth constexpr-steps constexpr-loop-limit constexpr-ops-limit \
    constexpr-backtrace-limit cf-protection openmp-version tls-model stack-clash-protection \
    macro-prefix-map file-prefix-map debug-prefix-map abi-version abi-compat-version fp-contract \
    fp-model excess-precision float-store macro-backtrace-limit bracket-depth max-include-depth tabstop align-functions \
    align-loops align-jumps align-labels inline-limit ira-region ira-algorithm lax-vector-conversions zero-call-used-regs \
    simd-cost-model vect-cost-model random-seed input-charset exec-charset wide-exec-charset patchable-function-entry \
    trivial-auto-var-init strict-flex-arrays sanitize no-sanitize sanitize-recover no-sanitize-recover \
    no-builtin sanitize-trap strict-aliasing stack-reuse sched-stalled-insns permitted-flt-eval-methods \
    reorder-blocks-algorithm diagnostics-path-format lifetime-dse new-alignment \
    aligned-new pack-struct veclib denormal-fp-math";

/// Names of `-m` options, which may have `no-` before them.
const MACHINE: &str = "32 64 x32 16 thumb arm thumb-interwork unaligned-access avx avx2 fma fma4 f16c bmi bmi2 lzcnt \
    popcnt abm aes pclmul sha vaes vpclmulqdq gfni adx rdrnd rdseed rdpid fsgsbase movbe cx16 sahf mmx 3dnow sse sse2 \
    sse3 ssse3 sse4 sse4.1 sse4.2 sse4a sse2avx avx512f avx512bw avx512cd avx512dq avx512vl avx512er avx512pf avx512ifma \
    avx512vbmi avx512vbmi2 avx512vnni avx512bf16 avx512bitalg avx512vpopcntdq avx512fp16 avxvnni amx-tile amx-int8 \
    amx-bf16 xsave xsaveopt xsavec xsaves clflushopt clwb prfchw prefer-vector-width red-zone fentry \
    general-regs-only soft-float hard-float single-float double-float stackrealign accumulate-outgoing-args \
    push-args omit-leaf-frame-pointer retpoline retpoline-external-thunk lvi-hardening lvi-cfi fp-ret-in-387 80387 \
    long-double-64 long-double-80 long-double-128 ieee-fp align-double cld vzeroupper recip inline-all-stringops \
    tls-direct-seg-refs strict-align relax crc32 serialize implicit-it execute-only outline-atomics \
    fix-cortex-a53-835769 fix-cortex-a53-843419 low-precision-recip-sqrt skip-rax-setup altivec vsx power8-vector \
    power9-vector htm hard-dfp simd128 micromips mips16 dsp msa abicalls long-calls glibc musl android big-endian \
    little-endian ms-bitfields hle rtm tbm xop lwp fxsr shstk ptwrite waitpkg pku sgx cldemote movdiri movdir64b enqcmd";

/// Names of `-m` options that take a value behind `=`; `native` is refused, since it means this very machine.
const MACHINE_VALUED: &str = "arch tune cpu fpu float-abi abi fpmath cmodel tls-dialect tp branch-protection \
    stack-protector-guard stack-protector-guard-reg stack-protector-guard-offset stack-protector-guard-symbol \
    preferred-stack-boundary incoming-stack-boundary stack-alignment prefer-vector-width indirect-branch function-return \
    indirect-branch-register harden-sls branch-cost memcpy-strategy large-data-threshold veclibabi instrument-return \
    regparm recip isa-spec code-model implicit-it sve-vector-bits move-max store-max asm nan tune-ctrl zarch";

/// Options for debugging information.
const DEBUG: &str = "-g -g1 -g2 -g3 -ggdb -ggdb0 -ggdb1 -ggdb2 -ggdb3 -gdwarf -gdwarf-2 -gdwarf-3 -gdwarf-4 -gdwarf-5 \
    -glldb -gcolumn-info -gno-column-info -gstrict-dwarf -gno-strict-dwarf -gline-tables-only -gmlt \
    -gline-directives-only -gstatement-frontiers -gno-statement-frontiers -gvariable-location-views \
    -gno-variable-location-views -ginline-points -gno-inline-points -gas-loc-support -gno-as-loc-support \
    -gas-locview-support -gno-as-locview-support -ginternal-reset-location-views -gno-internal-reset-location-views \
    -gpubnames -gno-pubnames -ggnu-pubnames -gno-gnu-pubnames -gdescribe-dies -gdwarf32 -gdwarf64 -gz=none -gz=zlib \
    -gz=zlib-gnu -gz=zstd -gz -gz=zlib-gabi";

/// Beginnings of options that are refused, with the reason, where the bare "is not understood" would leave people
/// guessing.
const REFUSED: &[(&str, &str)] = &[
    ("-E", "only preprocesses"),
    ("-S", "makes assembly, which is not understood yet"),
    ("-M", "makes dependencies in a way that is not understood"),
    ("-save-temps", "leaves files beside the object"),
    ("--save-temps", "leaves files beside the object"),
    ("-fprofile", "makes the object depend on profiles"),
    ("-fauto-profile", "makes the object depend on a profile"),
    ("-fbranch-probabilities", "makes the object depend on profiles"),
    ("-fcoverage", "embeds places and leaves files"),
    ("-ftest-coverage", "leaves a `.gcno` file beside the object"),
    ("--coverage", "leaves a `.gcno` file beside the object"),
    ("-coverage", "leaves a `.gcno` file beside the object"),
    ("-flto", "makes an object whose other inputs are not understood"),
    ("-fplugin", "runs a plugin"),
    ("-fmodule", "makes modules, whose files are not understood"),
    ("-fno-integrated-as", "runs an assembler of clang's choice"),
    ("-fuse-ld", "is for linking"),
    ("-specs", "changes what the driver runs"),
    ("--specs", "changes what the driver runs"),
    ("-wrapper", "changes what the driver runs"),
    ("-B", "changes what the driver runs"),
    ("-X", "passes an option by the driver"),
    ("-Wa,", "passes an option to the assembler"),
    ("-Wl,", "passes an option to the linker"),
    ("-Wp,", "passes an option to the preprocessor"),
    ("-frecord-", "embeds the command line"),
    ("-grecord-command-line", "embeds the command line"),
    ("-grecord-gcc-switches", "embeds the command line"),
    ("-gsplit-dwarf", "leaves a `.dwo` file beside the object"),
    ("-fstack-usage", "leaves a `.su` file beside the object"),
    ("-fcallgraph-info", "leaves a `.ci` file beside the object"),
    ("-fdiagnostics-format=json-file", "leaves a file beside the object"),
    ("-fdiagnostics-format=sarif-file", "leaves a file beside the object"),
    ("-fdump", "leaves files beside the object"),
    ("-d", "leaves files beside the object"),
    ("-ftime-", "reports times"),
    ("-fsyntax-only", "makes no object"),
    ("-v", "prints what differs from run to run"),
    ("-###", "runs nothing"),
    ("--help", "compiles nothing"),
    ("--version", "compiles nothing"),
    ("-print-", "compiles nothing"),
];

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
        return if named(FEATURES, FEATURES_VALUED, feature) { Ok(Meaning::Plain) } else { Err(unknown()) };
    }
    if let Some(machine) = option.strip_prefix("-m") {
        if machine.ends_with("=native") {
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

fn holds(list: &str, option: &str) -> bool {
    list.split_ascii_whitespace().any(|entry| entry == option)
}

fn starts(list: &str, option: &str) -> bool {
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
            -fsanitize=address -fno-sanitize-recover=all";
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
        assert!(meaning("-gsplit-dwarf").is_err());
        assert!(meaning("-gfoo").is_err());
    }

    #[test]
    fn what_is_on_no_list_is_refused_with_its_name() {
        let options = "-march=native -mtune=native -mcpu=native -mfoo -ffoo -fvisibility -fno-visibility=x -fplugin=a.so \
            -fprofile-use=a -fprofile-generate --coverage -ftest-coverage -flto -flto=4 -specs=a -wrapper -B/usr -Xclang \
            -Xpreprocessor -Xassembler -Wa,-g -Wl,-z -Wp,-foo -W,x -frecord-command-line -frecord-gcc-switches \
            -grecord-command-line -fmodules -fmodules-ts -fsanitize-blacklist=a -fsanitize-ignorelist=a -fstack-usage \
            -fdump-tree-all -dumpbase -save-temps -save-temps=obj -ftime-trace -ftime-report -fsyntax-only -v -E -S -M -MM -MG \
            -O4 -P -C --foo -nope -fopt-info-vec=a -foptimization-record-file=a -fsave-optimization-record -\
            -fdebug-compilation-dir=/a -include-pch -ivfsoverlay --config=a -fpch-preprocess -fdirectives-only -F/a -Q";
        for option in options.split_ascii_whitespace() {
            let why = meaning(option).expect_err(option);
            assert!(why.contains(&format!("`{option}`")), "{why}");
        }
    }
}
