//! The options that are understood, as data.
//!
//! An option is on these lists when all three hold: it names no file that the compiler reads, it makes no further
//! file, and what it does depends on its text alone. Its text enters the key, so nothing more has to be known of it.
//! There is no blanket for `-f`, `-m` or `-g`: what is on no list is refused. Options that write or read more are in
//! `aside`, and what is passed on to another program is in `passed`.

/// Options that are understood as a whole.
pub(crate) const EXACT: &str = "\
    -c -S -w -pipe -pedantic -pedantic-errors -trigraphs -undef -Qunused-arguments -s -pie -no-pie -static -shared \
    -rdynamic -static-libgcc -static-libstdc++ -nostdlib -nodefaultlibs -nostartfiles -static-pie -O -O0 -O1 -O2 -O3 \
    -Os -Og -Oz -Ofast -Wall -Wextra -W -H -Qn -Qy -fbasic-block-sections=all -fbasic-block-sections=none \
    -fbasic-block-sections=labels";

/// Options that are understood as a whole and may move the searched directories.
pub(crate) const EXACT_SEARCH: &str = "\
    -ansi -pthread -nostdinc -nostdinc++ -no-canonical-prefixes -ffreestanding -nostdlibinc -nobuiltininc";

/// Beginnings of options whose remainder is a value, and that may move the searched directories.
pub(crate) const VALUED_SEARCH: &str = "\
    -std= -stdlib= --sysroot=/ --target=";

/// Beginnings of options whose remainder is a value.
pub(crate) const VALUED: &str = "\
    -L -l --param= -Rpass= -Rpass-missed= -Rpass-analysis=";

/// Names of `-f` options, which may have `no-` before them.
pub(crate) const FEATURES: &str = "\
    PIC pic PIE pie plt common builtin exceptions rtti inline inline-functions inline-small-functions \
    inline-functions-called-once unroll-loops unroll-all-loops peel-loops omit-frame-pointer optimize-sibling-calls \
    function-sections data-sections strict-aliasing strict-overflow wrapv wrapv-pointer trapv signed-char \
    unsigned-char signed-bitfields unsigned-bitfields short-enums short-wchar stack-protector stack-protector-all \
    stack-protector-strong stack-protector-explicit stack-clash-protection stack-check cf-protection fast-math \
    math-errno finite-math-only signed-zeros signaling-nans trapping-math rounding-math associative-math \
    reciprocal-math unsafe-math-optimizations cx-limited-range openmp openmp-simd diagnostics-show-option \
    diagnostics-show-caret diagnostics-color color-diagnostics caret-diagnostics diagnostics-generate-patch \
    diagnostics-show-template-tree elide-type show-column asynchronous-unwind-tables unwind-tables \
    non-call-exceptions delete-null-pointer-checks tree-vectorize tree-slp-vectorize vectorize slp-vectorize \
    tree-loop-vectorize tree-loop-distribute-patterns tree-pre tree-vrp tree-sra gcse gcse-sm gcse-las ivopts ipa-cp \
    ipa-cp-clone ipa-pta ipa-sra ipa-icf reorder-blocks reorder-functions reorder-blocks-and-partition \
    schedule-insns schedule-insns2 split-stack toplevel-reorder unit-at-a-time keep-inline-functions \
    keep-static-consts merge-constants merge-all-constants zero-initialized-in-bss semantic-interposition \
    visibility-inlines-hidden visibility-ms-compat threadsafe-statics use-cxa-atexit access-control permissive \
    coroutines concepts char8_t sized-deallocation aligned-new gnu-keywords gnu89-inline gnu-unique \
    implicit-templates operator-names strict-enums extended-identifiers dollars-in-identifiers \
    lax-vector-conversions ms-extensions plan9-extensions hosted asm prefetch-loop-arrays tracer web \
    rename-registers crossjumping thread-jumps if-conversion if-conversion2 expensive-optimizations caller-saves \
    jump-tables guess-branch-probability branch-count-reg version-loops-for-strides split-loops unswitch-loops \
    loop-interchange code-hoisting devirtualize devirtualize-speculatively lifetime-dse stdarg-opt ident verbose-asm \
    leading-underscore direct-access-external-data emulated-tls allow-store-data-races harden-compares \
    harden-conditional-branches integrated-as unique-section-names addrsig discard-value-names spell-checking \
    zero-call-used-regs ssa-phiopt tree-dse tree-dce tree-ter tree-ch tree-fre tree-copy-prop early-inlining \
    partial-inlining shrink-wrap section-anchors sched-interblock sched-spec align-functions align-loops align-jumps \
    align-labels sanitize-recover sanitize-trap approx-func honor-nans honor-infinities strict-float-cast-overflow \
    strict-flex-arrays force-emit-vtables protect-parens debug-types-section eliminate-unused-debug-types \
    eliminate-unused-debug-symbols var-tracking var-tracking-assignments standalone-debug limit-debug-info \
    debug-macro aggressive-loop-optimizations allocation-dce allow-parameterless-variadic-functions auto-inc-dec \
    bit-tests canonical-system-headers check-new combine-stack-adjustments compare-elim concepts-ts cond-mismatch \
    conserve-stack cprop-registers cse-follow-jumps cse-skip-blocks cx-fortran-rules dce declone-ctor-dtor \
    deduce-init-list default-inline defer-pop delayed-branch delete-dead-exceptions devirtualize-at-ltrans \
    diagnostics-parseable-fixits diagnostics-plain-output diagnostics-show-cwe diagnostics-show-labels \
    diagnostics-show-line-numbers diagnostics-show-path-depths dse dwarf2-cfi-asm elide-constructors \
    emit-class-debug-always emit-struct-debug-baseonly emit-struct-debug-reduced enforce-eh-specs \
    ext-numeric-literals extern-tls-init fat-lto-objects finite-loops float-store fold-simple-inlines \
    forward-propagate fp-int-builtin-inexact function-cse gcse-after-reload gcse-lm gnu-tm graphite \
    graphite-identity hoist-adjacent-loads implement-inlines implicit-constexpr implicit-inline-templates \
    indirect-inlining inhibit-size-directive inline-atomics instrument-functions ipa-bit-cp ipa-icf-functions \
    ipa-icf-variables ipa-modref ipa-profile ipa-pure-const ipa-ra ipa-reference ipa-reference-addressable \
    ipa-stack-alignment ipa-strict-aliasing ipa-vrp ira-hoist-pressure ira-loop-pressure ira-share-save-slots \
    ira-share-spill-slots isolate-erroneous-paths-attribute isolate-erroneous-paths-dereference keep-gc-roots-live \
    keep-static-functions limit-function-alignment live-patching live-range-shrinkage loop-nest-optimize \
    loop-parallelize-all loop-unroll-and-jam lra-remat merge-debug-strings modulo-sched modulo-sched-allow-regmoves \
    move-loop-invariants move-loop-stores new-inheriting-ctors new-ttp-matching nonansi-builtins nothrow-opt openacc \
    optimize-strlen optional-diags pack-struct pcc-struct-return peephole peephole2 predictive-commoning \
    pretty-templates printf-return-value ree reg-struct-return rerun-cse-after-loop \
    reschedule-modulo-scheduled-loops sanitize-address-use-after-scope sanitize-undefined-trap-on-error \
    sched-critical-path-heuristic sched-dep-count-heuristic sched-group-heuristic sched-last-insn-heuristic \
    sched-pressure sched-rank-heuristic sched-spec-insn-heuristic sched-spec-load sched-spec-load-dangerous \
    sched-stalled-insns sched-stalled-insns-dep sched2-use-superblocks schedule-fusion sel-sched-pipelining \
    sel-sched-pipelining-outer-loops selective-scheduling selective-scheduling2 shrink-wrap-separate \
    single-precision-constant split-ivs-in-unroller split-paths split-wide-types split-wide-types-early ssa-backprop \
    stack-limit store-merging strict-volatile-bitfields strong-eval-order sync-libcalls track-macro-expansion \
    trampolines tree-bit-ccp tree-builtin-call-dce tree-ccp tree-coalesce-vars tree-cselim tree-dominator-opts \
    tree-forwprop tree-loop-distribution tree-loop-if-convert tree-loop-im tree-loop-ivcanon tree-loop-linear \
    tree-loop-optimize tree-partial-pre tree-phiprop tree-pta tree-reassoc tree-scev-cprop tree-sink tree-slsr \
    tree-switch-conversion tree-tail-merge unconstrained-commons unsafe-loop-optimizations use-cxa-get-exception-ptr \
    use-linker-plugin var-tracking-uninit variable-expansion-in-unroller vpt weak whole-program aligned-allocation \
    ansi-escape-codes application-extension assume-sane-operator-new autolink blocks borland-extensions \
    c++-static-destructors convergent-functions cxx-exceptions debug-info-for-profiling debug-ranges-base-address \
    declspec delayed-template-parsing diagnostics-fixit-info diagnostics-print-source-range-info \
    diagnostics-show-note-include-stack digraphs double-square-bracket-attributes dwarf-exceptions emit-all-decls \
    experimental-relative-c++-abi-vtables fine-grained-bitfield-accesses force-dwarf-frame force-enable-int128 \
    global-isel gnu-inline-asm instrument-function-entry-bare instrument-functions-after-inlining \
    inline-hint-functions legacy-pass-manager experimental-new-pass-manager new-infallible pascal-strings \
    preserve-as-comments pseudo-probe-for-profiling register-global-dtors-with-atexit relaxed-template-template-args \
    reroll-loops ropi rwpi rtti-data sanitize-address-globals-dead-stripping \
    sanitize-address-outline-instrumentation sanitize-address-poison-custom-array-cookie \
    sanitize-address-use-odr-indicator sanitize-cfi-canonical-jump-tables sanitize-cfi-cross-dso \
    sanitize-cfi-icall-generalize-pointers sanitize-memory-param-retval sanitize-memory-track-origins \
    sanitize-memory-use-after-dtor sanitize-stats sanitize-thread-atomics sanitize-thread-func-entry-exit \
    sanitize-thread-memory-access seh-exceptions show-source-location sjlj-exceptions split-dwarf-inlining \
    split-lto-unit split-machine-functions stack-size-section strict-return strict-vtable-pointers trigraphs \
    unique-basic-block-section-names unique-internal-linkage-names use-init-array virtual-function-elimination \
    visibility-from-dllstorageclass visibility-global-new-delete-hidden visibility-inlines-hidden-static-local-var \
    whole-program-vtables writable-strings xray-instrument xray-always-emit-customevents \
    xray-always-emit-typedevents xray-ignore-loops xray-function-index xray-link-deps temp-file";

/// Names of `-f` options that take a value behind `=`.
pub(crate) const FEATURES_VALUED: &str = "\
    visibility diagnostics-color diagnostics-format diagnostics-column-unit diagnostics-show-location \
    diagnostics-urls diagnostics-minimum-width max-errors error-limit message-length template-depth \
    template-backtrace-limit constexpr-depth constexpr-steps constexpr-loop-limit constexpr-ops-limit \
    constexpr-backtrace-limit cf-protection openmp-version tls-model stack-clash-protection macro-prefix-map \
    file-prefix-map debug-prefix-map abi-version abi-compat-version fp-contract fp-model excess-precision \
    float-store macro-backtrace-limit bracket-depth max-include-depth tabstop align-functions align-loops \
    align-jumps align-labels inline-limit ira-region ira-algorithm lax-vector-conversions zero-call-used-regs \
    simd-cost-model vect-cost-model random-seed input-charset exec-charset wide-exec-charset \
    patchable-function-entry trivial-auto-var-init strict-flex-arrays sanitize no-sanitize sanitize-recover \
    no-sanitize-recover no-builtin sanitize-trap strict-aliasing stack-reuse sched-stalled-insns \
    permitted-flt-eval-methods reorder-blocks-algorithm diagnostics-path-format lifetime-dse new-alignment \
    aligned-new pack-struct veclib denormal-fp-math analyzer-verbosity asan-shadow-offset constexpr-cache-depth \
    concepts-diagnostics-depth diagnostics-column-origin diagnostics-escape-format diagnostics-minimum-margin-width \
    emit-struct-debug-detailed live-patching lto-compression-level lto-partition sanitize-coverage \
    no-sanitize-coverage sched-stalled-insns-dep sso-struct stack-check stack-limit-register stack-limit-symbol \
    strong-eval-order track-macro-expansion tree-parallelize-loops instrument-functions-exclude-file-list \
    instrument-functions-exclude-function-list binutils-version clang-abi-compat comment-block-commands \
    debug-default-version debug-compilation-dir file-compilation-dir coverage-compilation-dir extend-arguments \
    fp-exception-behavior gnuc-version max-tokens max-type-align sanitize-address-destructor \
    sanitize-address-use-after-return sanitize-memory-track-origins sanitize-address-field-padding \
    sanitize-hwaddress-abi sanitize-undefined-strip-path-components show-overloads trapv-handler trap-function \
    trivial-auto-var-init-stop-after xray-function-groups xray-instruction-threshold xray-instrumentation-bundle \
    xray-modes xray-selected-function-group c++-abi lto-jobs";

/// Beginnings of names of `-f` options that go on with the name of a function or a register.
pub(crate) const FEATURES_JOINED: &str = "\
    no-builtin- call-saved- call-used- fixed-";

/// Names of `-m` options, which may have `no-` before them.
pub(crate) const MACHINE: &str = "\
    32 64 x32 16 thumb arm thumb-interwork unaligned-access avx avx2 fma fma4 f16c bmi bmi2 lzcnt popcnt abm aes \
    pclmul sha vaes vpclmulqdq gfni adx rdrnd rdseed rdpid fsgsbase movbe cx16 sahf mmx 3dnow sse sse2 sse3 ssse3 \
    sse4 sse4.1 sse4.2 sse4a sse2avx avx512f avx512bw avx512cd avx512dq avx512vl avx512er avx512pf avx512ifma \
    avx512vbmi avx512vbmi2 avx512vnni avx512bf16 avx512bitalg avx512vpopcntdq avx512fp16 avxvnni amx-tile amx-int8 \
    amx-bf16 xsave xsaveopt xsavec xsaves clflushopt clwb prfchw prefer-vector-width red-zone fentry \
    general-regs-only soft-float hard-float single-float double-float stackrealign accumulate-outgoing-args \
    push-args omit-leaf-frame-pointer retpoline retpoline-external-thunk lvi-hardening lvi-cfi fp-ret-in-387 80387 \
    long-double-64 long-double-80 long-double-128 ieee-fp align-double cld vzeroupper recip inline-all-stringops \
    tls-direct-seg-refs strict-align relax crc32 serialize implicit-it execute-only outline-atomics \
    fix-cortex-a53-835769 fix-cortex-a53-843419 low-precision-recip-sqrt skip-rax-setup altivec vsx power8-vector \
    power9-vector htm hard-dfp simd128 micromips mips16 dsp msa abicalls long-calls glibc musl android big-endian \
    little-endian ms-bitfields hle rtm tbm xop lwp fxsr shstk ptwrite waitpkg pku sgx cldemote movdiri movdir64b \
    enqcmd 3dnowa 128bit-long-double 96bit-long-double 8bit-idiv avx256-split-unaligned-load \
    avx256-split-unaligned-store avx512vp2intersect avx5124fmaps avx5124vnniw bionic uclibc call-ms2sysv-xlogues \
    clzero direct-extern-access dispatch-scheduler fancy-math-387 force-drap force-indirect-call hreset \
    indirect-branch-cs-prefix inline-stringops-dynamically manual-endbr mwait mwaitx needed nop-mcount pc32 pc64 \
    pc80 pconfig prefer-avx128 prefetchwt1 record-mcount record-return relax-cmpxchg-loop rtd sseregparm \
    stack-arg-probe stv tsxldtrk uintr vect8-ret-in-mem wbnoinvd widekl kl cet-switch align-stringops \
    branches-within-32B-boundaries global-merge implicit-float relax-all outline memops \
    incremental-linker-compatible";

/// Names of `-m` options that take a value behind `=`; `native` is refused, since it means this very machine.
pub(crate) const MACHINE_VALUED: &str = "\
    arch tune cpu fpu float-abi abi fpmath cmodel tls-dialect tp branch-protection stack-protector-guard \
    stack-protector-guard-reg stack-protector-guard-offset stack-protector-guard-symbol preferred-stack-boundary \
    incoming-stack-boundary stack-alignment prefer-vector-width indirect-branch function-return \
    indirect-branch-register harden-sls branch-cost memcpy-strategy large-data-threshold veclibabi instrument-return \
    regparm recip isa-spec code-model implicit-it sve-vector-bits move-max store-max asm nan tune-ctrl zarch \
    address-mode align-data fentry-name fentry-section memset-strategy stringop-strategy align-branch \
    align-branch-boundary pad-max-prefix-size exec-model small-data-limit stack-probe-size tls-size \
    sign-return-address vscale-max vscale-min";

/// Options for debugging information.
pub(crate) const DEBUG: &str = "\
    -g -g1 -g2 -g3 -ggdb -ggdb0 -ggdb1 -ggdb2 -ggdb3 -gdwarf -gdwarf-2 -gdwarf-3 -gdwarf-4 -gdwarf-5 -glldb \
    -gcolumn-info -gno-column-info -gstrict-dwarf -gno-strict-dwarf -gline-tables-only -gmlt -gline-directives-only \
    -gstatement-frontiers -gno-statement-frontiers -gvariable-location-views -gno-variable-location-views \
    -ginline-points -gno-inline-points -gas-loc-support -gno-as-loc-support -gas-locview-support \
    -gno-as-locview-support -ginternal-reset-location-views -gno-internal-reset-location-views -gpubnames \
    -gno-pubnames -ggnu-pubnames -gno-gnu-pubnames -gdescribe-dies -gdwarf32 -gdwarf64 -gz=none -gz=zlib \
    -gz=zlib-gnu -gz=zstd -gz -gz=zlib-gabi -gtoggle -gdwarf-aranges -gno-inline-line-tables -ginline-line-tables \
    -gsimple-template-names -gno-simple-template-names -gembed-source -gno-embed-source -gcodeview -gstabs -gstabs1 \
    -gstabs2 -gstabs3 -gctf -gbtf";

/// Beginnings of options that are refused, with the reason, where the bare "is not understood" would leave people
/// guessing.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    ("-E", "only preprocesses"),
    ("-MJ", "writes the command line, which is not the one that runs"),
    ("-M", "makes dependencies in a way that is not understood"),
    ("-save-temps", "leaves files beside the object"),
    ("--save-temps", "leaves files beside the object"),
    ("-fprofile", "makes the object depend on profiles in a way that is not understood"),
    ("-fauto-profile", "makes the object depend on a profile"),
    ("-fbranch-probabilities", "makes the object depend on profiles"),
    ("-fplugin", "runs a plugin"),
    ("-fmodule", "makes modules, whose files are not understood"),
    ("-fno-integrated-as", "runs an assembler of clang's choice"),
    ("-fuse-ld", "is for linking"),
    ("-specs", "changes what the driver runs"),
    ("--specs", "changes what the driver runs"),
    ("-wrapper", "changes what the driver runs"),
    ("-B", "changes what the driver runs"),
    ("-X", "passes an option by the driver that is not understood"),
    ("-Wa,", "passes an option to the assembler"),
    ("-Wl,", "passes an option to the linker"),
    ("-Wp,", "passes an option to the preprocessor"),
    ("-frecord-", "embeds the command line"),
    ("-grecord-command-line", "embeds the command line"),
    ("-grecord-gcc-switches", "embeds the command line"),
    ("-fcallgraph-info", "leaves a file beside the object in a way that is not understood"),
    ("-fdiagnostics-format=json-file", "leaves a file beside the object"),
    ("-fdiagnostics-format=sarif", "tells the working directory, or leaves a file beside the object"),
    ("-fdump", "leaves files beside the object"),
    ("-d", "leaves files beside the object"),
    ("-ftime-", "reports times"),
    ("-fsyntax-only", "makes no object"),
    ("-v", "prints what differs from run to run"),
    ("-###", "runs nothing"),
    ("--help", "compiles nothing"),
    ("--version", "compiles nothing"),
    ("-print-", "compiles nothing"),
    ("--verbose", "prints what differs from run to run"),
    ("-time", "reports times"),
    ("--preprocess", "only preprocesses"),
    ("--dependencies", "makes dependencies in a way that is not understood"),
    ("--user-dependencies", "makes dependencies in a way that is not understood"),
    ("-include-pch", "reads a precompiled header, of whose own headers clang compares the times"),
    ("-emit-pch", "makes a precompiled header"),
    ("-fpch", "makes or reads precompiled headers"),
    ("-flto=", "has a value that is not understood"),
    ("-fembed-bitcode", "embeds the command line"),
    ("-fembed-offload", "embeds a file"),
    ("-fthinlto-index", "reads an index"),
    ("-fthin-link-bitcode", "leaves a file beside the object"),
    ("-fpass-plugin", "runs a plugin"),
    ("-fopt-info", "prints to files or in an order of its own"),
    ("-foptimization-record-passes", "records optimizations in a way that is not understood"),
    ("-fdiagnostics-absolute-paths", "prints where the repository is"),
    ("-fcompare-debug", "compiles twice"),
    ("-fbuild-session", "heeds the times of files"),
    ("-fprebuilt", "reads modules, whose files are not understood"),
    ("-fcxx-modules", "makes modules, whose files are not understood"),
    ("-fimplicit-module", "makes modules, whose files are not understood"),
    ("-traditional", "preprocesses in a way that is not understood"),
    ("-remap", "looks for headers by a table"),
    ("-ivfsoverlay", "looks for headers in a file system of its own"),
    ("-index-header-map", "looks for headers by a table"),
    ("-iframework", "looks for headers in frameworks"),
    ("-F", "looks for headers in frameworks"),
    ("-iprefix", "makes directories out of parts"),
    ("-iwith", "makes directories out of parts"),
    ("-imulti", "moves the compiler's own directories"),
    ("-arch", "may compile several times"),
    ("-Xarch", "passes an option by the driver that is not understood"),
    ("--config", "reads options from a file"),
    ("-emit-", "makes something else than an object"),
    ("--analyze", "makes no object"),
    ("-plugin", "runs a plugin"),
    ("-no-integrated-as", "runs an assembler of clang's choice"),
    ("-no-integrated-cpp", "preprocesses in a way that is not understood"),
    ("-gmodules", "reads modules, whose files are not understood"),
    ("-fminimize", "only preprocesses"),
    ("-fdirectives-only", "only preprocesses"),
];
