//! What sources and headers say. Headers define macros alone, so that C, C++ and assembly can all read them.

use crate::Storm;
use crate::asked::sources;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Some of all ways to include.
const LINES: [&str; 16] = [
    "#include \"a.h\"",
    "#include <a.h>",
    "#include \"b.h\"",
    "#include <b.h>",
    "#include <c.h>",
    "#include \"sub/d.h\"",
    "#ifdef NAME\n#include NAME\n#endif",
    "#if __has_include(\"c.h\")\n#define HAS_C 1\n#endif",
    "#if defined __has_include && __has_include(<e.h>)\n#define HAS_E 1\n#endif",
    "#define ASK(x) __has_include(x)\n#if ASK(\"c.h\")\n#define HAS_C 1\n#endif",
    "#ifdef __has_include\n#define ASK(x) __has_include(x)\n#endif\n#if ASK(<e.h>) && \\\n ASK(<sub/d.h>)\n#define HAS_E 1\n#endif",
    "#if 0 /* a remark\n that goes on */ || __has_include(<e.h>)\n#define HAS_E 1\n#endif",
    "#if 0\n#include \"e.h\"\n#endif",
    "#ifdef A\n#include \"e.h\"\n#endif",
    "#define A_HEADER \"b.h\"\n#include A_HEADER",
    "/* nothing */",
];

/// What only C and C++ have.
const C_LINES: [&str; 4] =
    ["#include <stddef.h>", "const char *file = __FILE__;", "static int unused;", "#warning source"];

/// What only C++ has.
const CXX_LINES: [&str; 3] = [
    "#include <cstddef>",
    "template <int N> struct Of { int of[N]; Of(); };\ntemplate <int N> Of<N>::Of() { of[0] = N; }\ntemplate struct Of<7>;",
    "#ifdef B\ntemplate <class T> T twice(T t) { return t * B; }\nint two = twice<int>(2);\n#endif",
];

/// Macros that headers define, and sources show.
const SHOWN: [&str; 8] = ["A", "B", "C", "D", "E", "HAS_C", "HAS_D", "HAS_E"];

impl Storm {
    /// Writes a source.
    pub(crate) fn source(&mut self, name: &str) {
        let (assembly, cxx) = (name == "main.S", name == "main.cc");
        let mut text = String::new();
        for _ in 0..2 + self.dice.below(3) {
            let line = match self.dice.below(6) {
                0 if !assembly => self.dice.one(&C_LINES),
                1 if cxx => self.dice.one(&CXX_LINES),
                _ => self.dice.one(&LINES),
            };
            text.push_str(line);
            text.push('\n');
        }
        for name in SHOWN {
            let shown = if assembly {
                format!(".long {name}")
            } else {
                let lower = name.to_ascii_lowercase();
                format!("int {lower}[{name}];")
            };
            text.push_str(&["#ifdef ", name, "\n", &shown, "\n#endif\n"].concat());
        }
        if assembly {
            // As gcc and clang want it of whoever needs no stack that can be run.
            text.push_str(".section .note.GNU-stack,\"\",@progbits\n");
        }
        fs::write(self.at("src").join(name), &text).unwrap();
        self.note(format!("source {name}: {text:?}"));
    }

    /// Some text for a header, equal in size whatever its number is.
    pub(crate) fn header(&mut self, name: &str) -> String {
        let letter = name.rsplit('/').next().unwrap_or_default()[..1].to_uppercase();
        let number = self.dice.below(3) + 1;
        let more = match self.dice.below(9) {
            0 => "#include_next <a.h>\n",
            1 => "#include \"c.h\"\n",
            2 => "#include <e.h>\n",
            3 => "#if __has_include(\"sub/d.h\")\n#define HAS_D 1\n#endif\n",
            4 => "#warning careful\n",
            5 => "#include \"../inc1/e.h\"\n",
            _ => "",
        };
        format!(
            "#undef {letter}\n#define {letter} {number}\n#ifndef IN_{letter}\n#define IN_{letter}\n{more}#endif\n"
        )
    }

    /// Writes a compiler that calls the real one. Another process does it: a file that this one has open for writing is,
    /// for a moment, open in what other threads are about to start as well, and cannot be run then.
    pub(crate) fn wrapper(&mut self) {
        let number = self.dice.below(3);
        let compiler = self.asked.compiler;
        let path = self.at("bin").join(compiler);
        let text = format!("#!/bin/sh\nexec /usr/bin/{compiler} -DE={number} \"$@\"\n");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "printf %s \"$1\" >\"$0\""]).arg(&path).arg(text);
        assert!(shell.status().unwrap().success());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.note(format!("wrapper {number}"));
    }

    /// Writes what there is in the beginning.
    pub(crate) fn plant(&mut self) {
        for name in crate::asked::DIRECTORIES.iter().chain(&["out", "bin", "last"]) {
            fs::create_dir_all(self.at(name).join("sub")).unwrap();
        }
        // From the top every name is found somewhere; from below, where relative paths lead nowhere, it need not be.
        for name in crate::asked::NAMES {
            fs::write(self.at("last").join(name), "\n").unwrap();
        }
        std::os::unix::fs::symlink("inc2", self.at("link")).unwrap();
        std::os::unix::fs::symlink("tree", self.directory.path().join("way")).unwrap();
        for source in ["main.c", "main.cc", "main.S"] {
            if sources(self.asked.compiler).contains(&source) {
                self.source(source);
            }
        }
        self.wrapper();
    }
}
