//! Lines that are refused, or whose run is not recorded.

use crate::line::{Line, no};

/// What is no single compilation.
pub(crate) const COMMANDS: &[Line] = &[
    no("CC main.c -o main", "linking", "main"),
    no("gcc -c a.c b.cc", "several sources", "a.o b.o"),
    no("gcc -E a.c", "only preprocesses", ""),
    no("clang -M a.c", "-M", ""),
    no("clang -MM -c a.c", "-MM", ""),
    no("gcc -fsyntax-only a.c", "no object", ""),
    no("gcc -xc -c -", "standard input", "-.o"),
    no("gcc -c a.c -o -", "no file", "").fails(),
    no("clang -c a.c -o -", "no file", ""),
    no("gcc -c a.c -o /dev/null", "no file", ""),
    no("clang -x c-header -c pre.h", "precompiled", "pre.h.gch").varies(),
    no("gcc pre.h -o pre.h.gch", "linking", "pre.h.gch").varies(),
    no("clang++ -c t.hpp", "precompiled", "t.hpp.gch").varies(),
    no("clang -S d.s", "`-S` makes nothing", ""),
    no("clang -v -c a.c", "run to run", "a.o").varies(),
    no("CC -### -c a.c", "runs nothing", "").varies(),
];

/// What cannot be kept.
pub(crate) const OUTPUTS: &[Line] = &[
    no("gcc -save-temps -c a.c", "beside the object", "a.i a.o a.s"),
    no("clang -save-temps=obj -c a.c", "beside the object", "a.bc a.i a.o a.s"),
    no("clang -gsplit-dwarf -c a.c", "without `-g`", "a.o"),
    no("gcc -c c.sx", "neither", "c.o").before("cp d.s c.sx"),
    no("gcc -fdump-tree-gimple -c a.c", "beside the object", "a.c.006t.gimple a.o"),
    no("clang -ftime-trace -c a.c", "times", "a.json a.o").varies(),
    no("clang -ftime-report -c a.c", "times", "a.o").varies(),
    no("gcc -fsave-optimization-record -O2 -c a.c", "compresses", "a.c.opt-record.json.gz a.o").varies(),
    no("clang -MJ x.json -c a.c", "writes the command line", "a.o x.json"),
    no("gcc -frecord-gcc-switches -c a.c", "embeds the command line", "a.o"),
    no("gcc -grecord-gcc-switches -g -c a.c", "embeds the command line", "a.o"),
    no("clang -frecord-command-line -c a.c", "embeds the command line", "a.o"),
    no("clang -grecord-command-line -g -c a.c", "embeds the command line", "a.o"),
    no("clang -fembed-bitcode -c a.c", "embeds the command line", "a.o"),
    no("clang -emit-llvm -c a.c", "something else", "a.bc"),
    no("gcc -MD -MMD -c a.c", "second depfile", "a.d a.o"),
    no("clang -MD -MF - -c a.c", "no file", "a.o"),
    no("gcc -MD -MT a:b -c a.c", "read back", "a.d a.o"),
    no("gcc -Wa,-adhln=a.lst -c a.c", "not understood", "a.lst a.o"),
    no("gcc -Wa,--MD,a.dep -c a.c", "not understood", "a.dep a.o").varies(),
    no("gcc -Wa,--gdwarf-5 -c a.c", "temporary", "a.o").varies(),
    no("gcc -fstack-usage -c a.c -o a.su", "written twice", "a.su"),
];

/// What reads more than can be told.
pub(crate) const INPUTS: &[Line] = &[
    no("CC -c incbin.c", "incbin", "incbin.o"),
    no("gcc -c incbin.s", "incbin", "incbin.o"),
    no("clang -c great.s", "incbin", "great.o"),
    no("clang -c include.s", ".include", "include.o"),
    no("CC -c include.S", "includes a file", "include.o"),
    no("clang -c again.i", "was preprocessed", "again.o"),
    no("CC -c date.c", "__DATE__", "date.o"),
    no("gcc -c stamp.c", "__TIMESTAMP__", "stamp.o"),
    no("clang -DX=__TIME__ -c a.c", "__TIME__", "a.o"),
    no("CC -Xpreprocessor -DX=__DATE__ -c a.c", "__DATE__", "a.o"),
    no("gcc -c pre.c", "pre.h.gch` is a precompiled header", "pre.o").before("gcc pre.h"),
    no("gcc -include pre.h -c w.c", "is a precompiled header", "w.o").before("gcc pre.h"),
    no("clang -include-pch pre.pch -c w.c", "precompiled header", "w.o")
        .before("clang -x c-header pre.h -o pre.pch"),
    no("clang -include pre.h -c w.c", "the report is about", "w.o")
        .before("clang -x c-header pre.h -o pre.h.pch"),
    no("clang -Xclang -include-pch -Xclang pre.pch -c w.c", "-Xclang", "w.o")
        .before("clang -x c-header pre.h -o pre.pch"),
    no("gcc -flto -frandom-seed=1 -fstack-usage -c a.c", "leaves to the linking", "a.o"),
    no("clang -flto -g -gsplit-dwarf -c a.c", "leaves to the linking", "a.o"),
    no("gcc -O2 -fprofile-use -fprofile-dir=data -c main.c", "place that is not understood", "main.o"),
    no("gcc -specs=none.specs -c a.c", "what the driver runs", "a.o").before("touch none.specs"),
    no("gcc -wrapper env -c a.c", "what the driver runs", "a.o"),
    no("clang -B/usr/bin -c a.c", "what the driver runs", "a.o"),
    no("clang -march=native -c a.c", "machine", "a.o"),
    no("gcc -mtune=native -c a.c", "machine", "a.o"),
    no("clang -fmodules -c a.c", "modules", "a.o"),
    no("g++ -fmodules-ts -std=c++20 -c b.c++", "modules", "b.o"),
    no("CC -iprefix inc/ -iwithprefix . -c i.c", "out of parts", "i.o"),
    no("gcc -iprefix inc/ -iwithprefixbefore . -c i.c", "out of parts", "i.o"),
    no("clang -Iinc -isystem-after inc -c i.c", "-isystem-after", "i.o"),
    no("clang -Finc -c a.c", "frameworks", "a.o"),
    no("gcc -imultilib 32 -c a.c", "own directories", "a.o"),
    no("clang -I=/x -c a.c", "own root", "a.o"),
    no("clang -fno-integrated-as -c a.c", "assembler of clang", "a.o"),
    no("clang -mllvm -stats -c a.c", "-mllvm", "a.o"),
    no("gcc -Wa,-I,inc -c a.c", "not understood", "a.o"),
    no("gcc -traditional-cpp -c w.c", "preprocesses", "w.o"),
    no("CC -c error.c", "exit", "").fails(),
    no("clang -fno-such-thing -c a.c", "not an option", "").fails(),
];
