//! Lines that are understood.

use crate::line::Change::{Edit, In, Line as Other, With};
use crate::line::{Line, ok};

/// Another value of a macro in a header.
const HEADER: crate::line::Change = Edit("echo '#define A 4' > a.h");
const UNRELATED: crate::line::Change = With("UNRELATED=1");

/// Sources, languages and outputs.
pub(crate) const SOURCES: &[Line] = &[
    ok("CC -c a.c", "a.o")
        .holds(&[Other("CC -c a.c -o x.o"), Other("CC -o o/x -c a.c"), UNRELATED])
        .misses(&[HEADER, Other("CC -c ./a.c"), With("CPATH=inc")]),
    ok("gcc a.c -c -oo/y.o", "o/y.o").holds(&[Other("gcc a.c -c -oo2/y.o")]),
    ok("CC -c inc/u.c", "u.o").misses(&[Edit("echo '#define I 2' > inc/i.h")]),
    ok("CC -x c -c p.txt", "p.o").misses(&[Other("CC -x c++ -c p.txt")]),
    ok("gcc -xc++ -c p.txt -o p.o", "p.o"),
    ok("clang -x c -c a.c -x none", "a.o"),
    ok("CC -c b.cc", "b.o").misses(&[HEADER]),
    ok("CXX -c b.cc", "b.o").misses(&[HEADER, With("CPLUS_INCLUDE_PATH=inc")]),
    ok("clang++ -c b.c++", "b.o"),
    ok("CXX -std=c++17 -fno-exceptions -fno-rtti -c b.cc", "b.o")
        .misses(&[Other("CXX -std=c++20 -fno-exceptions -fno-rtti -c b.cc")]),
    ok("CC -S a.c", "a.s").holds(&[Other("CC -S a.c -o z.s")]).misses(&[HEADER, Other("CC -S -O1 a.c")]),
    ok("gcc -S -c a.c -o o/a.o", "o/a.o"),
    ok("CC -S -MD a.c", "a.d a.s"),
    ok("clang -S -g a.c", "a.s"),
    ok("gcc --assemble a.c -o o/k.s", "o/k.s"),
    ok("clang++ -S -O1 b.cc", "b.s"),
    ok("CC -c c.S", "c.o").holds(&[Other("CC -c c.S -o o/c.o")]).misses(&[HEADER, Other("CC -c c.S -DX")]),
    ok("CC -g -fdebug-prefix-map=/a=/b -c c.S", "c.o"),
    ok("CXX -c c.S", "c.o"),
    ok("CC -MD -c c.S", "c.d c.o"),
    ok("CC -MMD -MP -MF o/c.d -c c.S -o o/c.o", "o/c.d o/c.o"),
    ok("CC -g -c c.S", "c.o")
        .within("third")
        .before("cp c.S a.h third; cp c.S a.h other")
        .misses(&[In("other")]),
    ok("clang -x assembler-with-cpp -c d.s", "d.o"),
    ok("clang -Wa,--noexecstack -c c.S", "c.o"),
    ok("CC -c d.s", "d.o").holds(&[Other("CC -c d.s -o o/d.o")]).misses(&[Edit("echo '.long 4' >> d.s")]),
    ok("gcc -x assembler -c d.s -o d.o", "d.o"),
    ok("gcc -MD -MF o/d.d -c d.s", "d.o"),
    ok("clang -MD -MF o/d.d -c d.s", "d.o").misses(&[Other("clang -MD -MF o2/d.d -c d.s")]),
    ok("CC -g -c d.s", "d.o"),
    ok("CC -c p.i", "p.o").holds(&[Other("CC -c p.i -o o/p.o")]).misses(&[Edit("echo 'int more;' >> p.i")]),
    ok("gcc -c p.ii", "p.o"),
    ok("CXX -c p.i", "p.o"),
    ok("CC -S -O2 p.i", "p.s"),
    ok("gcc -x cpp-output -c p.txt", "p.o"),
    ok("clang -x c++-cpp-output -c p.txt", "p.o"),
    ok("CC -g -c p.i", "p.o"),
    ok("CC @args", "a.o").misses(&[Edit("echo '-c a.c -DX=2' > args")]),
    ok("CC -Wall -c w.c", "w.o").misses(&[Other("CC -Wall -Wno-unused-variable -c w.c")]),
    ok("gcc -Wall -fdiagnostics-color=always -c w.c", "w.o"),
    ok("clang -H -c a.c", "a.o"),
    ok("CC -c optional.c", "optional.o").misses(&[Edit("touch optional.h")]),
    ok("CC -c file.c", "file.o").misses(&[Other("CC -c ./file.c")]),
];

/// Options about headers, macros and depfiles.
pub(crate) const PREPROCESSOR: &[Line] = &[
    ok("CC -I inc -Iother -c i.c", "i.o")
        .misses(&[Edit("echo '#define I 3' > inc/i.h"), Other("CC -I inc -c i.c")]),
    ok("CC -Iother -Iinc -c i.c", "i.o").misses(&[Edit("echo '#define I 5' > other/i.h")]),
    ok("CC -iquote other -isystem inc -idirafter third -c i.c", "i.o")
        .misses(&[Edit("echo '#define I 3' > inc/i.h")]),
    ok("CC --include-directory=inc --include-directory other -c i.c", "i.o")
        .misses(&[Edit("echo '#define I 3' > inc/i.h")]),
    ok("gcc --include-directory-after=inc -c i.c", "i.o"),
    ok("CC -include forced.h -c a.c", "a.o").misses(&[Edit("echo '#define FORCED 2' > forced.h")]),
    ok("CC --include=forced.h -c a.c", "a.o").misses(&[Edit("echo '#define FORCED 2' > forced.h")]),
    ok("clang --include forced.h --imacros a.h -c i.c -Iinc", "i.o"),
    ok("gcc -imacros forced.h -c a.c", "a.o").misses(&[Edit("echo '#define FORCED 2' > forced.h")]),
    ok("CC -DA1 -D B1=1 -UA1 -U B1 -c a.c", "a.o").misses(&[Other("CC -DA1 -D B1=2 -UA1 -U B1 -c a.c")]),
    ok("CC --define-macro=X=1 --undefine-macro Y -c a.c", "a.o")
        .misses(&[Other("CC --define-macro=X=2 --undefine-macro Y -c a.c")]),
    ok("CC --output=o/l.o --std=c99 --language=c -c a.c", "o/l.o")
        .holds(&[Other("CC --output=o2/m.o --std=c99 --language=c -c a.c")]),
    ok("clang --sysroot / --compile a.c", "a.o"),
    ok("gcc -isysroot /none -nostdinc -c i.c -Iinc", "i.o"),
    ok("CC -Wp,-D_FORTIFY_SOURCE=2,-DX -O1 -c a.c", "a.o")
        .misses(&[Other("CC -Wp,-D_FORTIFY_SOURCE=2,-DY -O1 -c a.c")]),
    ok("CC -Xpreprocessor -DX=1 -c a.c", "a.o").misses(&[Other("CC -Xpreprocessor -DX=2 -c a.c")]),
    ok("CC -MD -c a.c", "a.d a.o").holds(&[UNRELATED]).misses(&[HEADER, Other("CC -MD -c a.c -o x.o")]),
    ok("gcc -MMD -c a.c -o o/a.o", "o/a.d o/a.o"),
    ok("CC -MMD -MP -c a.c", "a.d a.o"),
    ok("CC -MD -MF o/x.d -MT target -c a.c", "a.o o/x.d")
        .holds(&[Other("CC -MD -MF o2/y.d -MT target -c a.c -o o/b.o")]),
    ok("CC -MD -MFo/x.d -MQ ta$get -MTsecond -c a.c", "a.o o/x.d")
        .misses(&[Other("CC -MD -MFo/x.d -MQ target -MTsecond -c a.c")]),
    ok("clang --write-dependencies -c a.c", "a.d a.o"),
    // As CMake, automake and kernels have them.
    ok("CC -DX -MD -MT o/a.c.o -MF o/a.c.o.d -o o/a.c.o -c a.c", "o/a.c.o o/a.c.o.d"),
    ok("gcc -DX -MT a.lo -MD -MP -MF o/a.Tpo -c -o a.o a.c", "a.o o/a.Tpo"),
    ok("gcc -Wp,-MMD,o/.a.o.d -nostdinc -Iinc -Iother -c -o o/i.o i.c", "o/.a.o.d o/i.o"),
    ok("CC --write-user-dependencies -MF x.d -c a.c", "a.o x.d"),
    ok("clang -Wp,-MD,x.d -c a.c", "a.o x.d"),
    ok("CC -Wp,-MMD,o/x.d -c a.c -o a.o", "a.o o/x.d"),
    ok("gcc -Wp,-MD,x.d,-MT,target -c a.c", "a.o x.d").misses(&[Other("gcc -Wp,-MD,x.d,-MT,other -c a.c")]),
    ok("gcc -Wp,-MMD,x.d -Wp,-MP -c a.c", "a.o x.d"),
    ok("CC -MMD -c optional.c", "optional.d optional.o").misses(&[Edit("touch optional.h")]),
];

/// Options of the compilers proper.
pub(crate) const OPTIONS: &[Line] = &[
    ok("CC -O2 -c a.c", "a.o").misses(&[Other("CC -O3 -c a.c")]),
    ok("gcc -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -c a.c", "a.o"),
    ok("clang -fno-builtin-memcpy -fno-strict-aliasing -fwrapv -c a.c", "a.o"),
    ok("CC -m64 -march=x86-64 -mtune=generic -msse2 -mno-avx -c a.c", "a.o"),
    ok("gcc -fno-tree-ccp -fipa-modref -fno-split-paths -fno-weak -O2 -c a.c", "a.o"),
    ok("gcc --param max-inline-insns-single=5 --param=ssp-buffer-size=4 -O2 -c a.c", "a.o")
        .misses(&[Other("gcc --param max-inline-insns-single=6 --param=ssp-buffer-size=4 -O2 -c a.c")]),
    ok("gcc -fstack-limit-symbol=limit -c a.c", "a.o")
        .misses(&[Other("gcc -fstack-limit-symbol=limit2 -c a.c")]),
    ok("gcc -Wa,--noexecstack,-W -Wa,-mrelax-relocations=no -Wa,--fatal-warnings -c a.c", "a.o")
        .misses(&[Other("gcc -c a.c")]),
    ok("gcc -Xassembler --noexecstack -c a.c", "a.o"),
    ok("clang -Wa,--noexecstack -Wa,-mrelax-relocations=no -c a.c", "a.o"),
    ok("clang -Xclang -disable-O0-optnone -c a.c", "a.o").misses(&[Other("clang -c a.c")]),
    ok("clang -O2 -mllvm -inline-threshold=10 -c a.c", "a.o")
        .misses(&[Other("clang -O2 -mllvm -inline-threshold=11 -c a.c")]),
    ok("clang -fxray-instrument -fxray-instruction-threshold=1 -c a.c", "a.o"),
    ok("clang -O2 -Rpass=inline -c a.c", "a.o"),
    ok("CC -fsanitize=address,undefined -c a.c", "a.o").misses(&[Other("CC -fsanitize=address -c a.c")]),
    ok("CC -fsanitize=undefined -fsanitize-coverage=trace-pc -c a.c", "a.o"),
    ok("CC -flto -frandom-seed=1 -c a.c", "a.o")
        .holds(&[Other("CC -flto -frandom-seed=1 -c a.c -o o/a.o")])
        .misses(&[HEADER]),
    ok("gcc -flto=auto -ffat-lto-objects -frandom-seed=1 -c a.c", "a.o"),
    ok("gcc -flto=4 -fno-fat-lto-objects -flto-compression-level=1 -frandom-seed=1 -c a.c", "a.o"),
    ok("gcc -flto -frandom-seed=1 -c p.i", "p.o")
        .within("third")
        .before("cp p.i third; cp p.i other")
        .misses(&[In("other")]),
    ok("clang -flto=thin -c a.c", "a.o"),
    ok("clang -flto=full -S a.c", "a.s"),
    ok("gcc -flto -c a.c", "a.o").varies(),
    ok("clang -fsanitize=address -fsanitize-ignorelist=list.txt -MMD -c a.c", "a.d a.o")
        .misses(&[Edit("echo 'fun:f' >> list.txt")]),
    ok("clang -fsanitize=address -fsanitize-ignorelist=./list.txt -MMD -MP -c a.c", "a.d a.o")
        .misses(&[HEADER]),
    ok("clang -fsanitize=address -fsanitize-blacklist=list.txt -MD -MP -MF x.d -c a.c", "a.o x.d"),
    ok("clang -fsanitize-coverage=func,trace-pc-guard -fsanitize-coverage-allowlist=list.txt -c a.c", "a.o")
        .misses(&[Edit("echo 'src:*' > list.txt; echo 'fun:*' >> list.txt")]),
    ok("clang -fxray-instrument -fxray-attr-list=list.txt -MMD -c a.c", "a.d a.o"),
    ok("clang -fprofile-instr-generate -fprofile-list=list.txt -c a.c", "a.o")
        .misses(&[Edit("echo 'fun:f' >> list.txt")]),
];

/// What is embedded, written and read besides.
pub(crate) const ASIDE: &[Line] = &[
    ok("CC -g -c a.c", "a.o")
        .holds(&[Other("CC -g -c a.c -o o/a.o")])
        .misses(&[HEADER, Other("CC -g3 -c a.c")]),
    ok("CC -g -c p.i", "p.o").within("third").before("cp p.i third; cp p.i other").misses(&[In("other")]),
    ok("CC -c p.i", "p.o").within("third").before("cp p.i third; cp p.i other").holds(&[In("other")]),
    ok("gcc -g -fdebug-prefix-map=/a=/b -ffile-prefix-map=/c=/d -c a.c", "a.o"),
    ok("clang -g -ffile-compilation-dir=. -c a.c", "a.o"),
    ok("clang -g -fdebug-compilation-dir=/x -c a.c", "a.o")
        .misses(&[Other("clang -g -fdebug-compilation-dir=/y -c a.c")]),
    ok("CC -g -gsplit-dwarf -c a.c", "a.dwo a.o")
        .misses(&[Other("CC -g -gsplit-dwarf -c a.c -o o/b.o"), HEADER]),
    ok("CC -gsplit-dwarf -g -c a.c -o o/a.c.o", "o/a.c.dwo o/a.c.o").holds(&[UNRELATED]),
    ok("gcc -gsplit-dwarf -c a.c", "a.dwo a.o"),
    ok("clang -g -gsplit-dwarf=single -c a.c", "a.o"),
    ok("gcc -g -gsplit-dwarf -S a.c", "a.s"),
    ok("clang -g -gsplit-dwarf -S a.c", "a.dwo a.s"),
    ok("CC -g -gsplit-dwarf -c c.S", "c.dwo c.o"),
    ok("CC --coverage -frandom-seed=1 -c a.c", "a.gcno a.o")
        .misses(&[Other("CC --coverage -frandom-seed=1 -c a.c -o o/a.o"), HEADER]),
    ok("CC -ftest-coverage -fprofile-arcs -frandom-seed=1 -MD -c a.c -o o/b.o", "o/b.d o/b.gcno o/b.o"),
    ok("CC --coverage -frandom-seed=1 -c p.i", "p.gcno p.o")
        .within("third")
        .before("cp p.i third; cp p.i other")
        .misses(&[In("other")]),
    ok("CC --coverage -frandom-seed=1 -S a.c", "a.gcno a.s"),
    ok("gcc --coverage -c a.c", "a.gcno a.o").varies(),
    ok("CC -fprofile-generate -frandom-seed=1 -c main.c", "main.o")
        .misses(&[Other("CC -fprofile-generate -frandom-seed=1 -c main.c -o o/x.o")]),
    ok("CC -fprofile-generate=data -fprofile-update=atomic -frandom-seed=1 -c main.c", "main.o"),
    ok("clang -fprofile-instr-generate -fcoverage-mapping -c p.i", "p.o")
        .within("third")
        .before("cp p.i third; cp p.i other")
        .misses(&[In("other")]),
    ok("gcc -O2 -fprofile-use -c main.c", "main.o")
        .before(
            "gcc -O2 -fprofile-generate main.c -o main && ./main && mv main.gcda kept && cp kept main.gcda",
        )
        .misses(&[
            Edit("./main x; ./main x"),
            Edit("rm main.gcda"),
            Other("gcc -O2 -fprofile-use -c main.c -o o/main.o"),
        ]),
    ok("gcc -O2 -fprofile-use=data -c main.c", "main.o")
        .before("gcc -O2 -fprofile-generate=data main.c -o main && ./main")
        .misses(&[Edit("./main x")]),
    ok("gcc -O2 -fbranch-probabilities -Wno-missing-profile -c main.c", "main.o")
        .misses(&[Edit("gcc -O2 -fprofile-generate main.c -o main && ./main")]),
    ok("clang -O2 -fprofile-use=p.profdata -c main.c", "main.o")
        .before("llvm-profdata-14 merge once.proftext -o p.profdata")
        .misses(&[Edit("llvm-profdata-14 merge often.proftext -o p.profdata")]),
    ok("clang -O2 -fprofile-use=data -c main.c", "main.o")
        .before("mkdir data && llvm-profdata-14 merge once.proftext -o data/default.profdata")
        .misses(&[Edit("llvm-profdata-14 merge often.proftext -o data/default.profdata")]),
    ok("CC -fstack-usage -c a.c -o o/a.o", "o/a.o o/a.su")
        .holds(&[Other("CC -fstack-usage -c a.c -o o2/b.o")])
        .misses(&[HEADER]),
    ok("gcc -fstack-usage -S a.c", "a.s a.su"),
    ok("gcc -fcallgraph-info -c a.c", "a.ci a.o"),
    ok("gcc -fcallgraph-info=su,da -fstack-usage -c a.c -o o/a.o", "o/a.ci o/a.o o/a.su"),
    ok("clang -serialize-diagnostics o/w.dia -Wall -c w.c", "o/w.dia w.o")
        .holds(&[Other("clang -serialize-diagnostics o2/w.dia -Wall -c w.c")]),
    ok("clang --serialize-diagnostics w.dia -c a.c", "a.o w.dia"),
    ok("clang -O2 -fsave-optimization-record -c a.c", "a.o a.opt.yaml")
        .misses(&[Other("clang -O2 -fsave-optimization-record -c a.c -o o/a.o")]),
    ok("clang -O2 -foptimization-record-file=r.yaml -c a.c", "a.o r.yaml"),
];
