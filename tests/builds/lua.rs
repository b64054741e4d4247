//! Lua: an interpreter in C. Its crate brings the sources alone, so what builds them is written here.

use crate::recipe::{By, Recipe, cmake};
use crate::site::{Site, installed};
use crate::support::lua;
use anyhow::Result;
use std::fs;
use std::path::Path;

const MAKEFILE: &str = "\
CFLAGS = -std=gnu99 -O1 -g -Wall -Wextra -DLUA_COMPAT_5_3 -DLUA_USE_LINUX
OBJECTS = $(filter-out run.o, $(patsubst %.c, %.o, $(wildcard *.c)))
run: run.o liblua.a
\t$(CC) -o $@ run.o liblua.a -Wl,-E -lm -ldl
liblua.a: $(OBJECTS)
\tar rc $@ $(OBJECTS)
%.o: %.c
\t$(CC) $(CFLAGS) -MMD -c -o $@ $<
clean:
\trm -f run liblua.a *.o *.d
-include $(wildcard *.d)
";

const CMAKE: &str = "\
cmake_minimum_required(VERSION 3.10)
project(lua C)
file(GLOB sources *.c)
list(FILTER sources EXCLUDE REGEX \"/run\\\\.c$\")
add_compile_definitions(LUA_COMPAT_5_3 LUA_USE_LINUX)
add_library(lua STATIC ${sources})
add_executable(run run.c)
target_link_libraries(run lua m ${CMAKE_DL_LIBS})
set_target_properties(run PROPERTIES ENABLE_EXPORTS ON)
";

/// The interpreter that the crate leaves out.
const RUN: &str = r#"
#include "lauxlib.h"
#include "lualib.h"
int main(int argc, char **argv) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    return argc < 2 || luaL_dostring(L, argv[1]) != LUA_OK;
}
"#;

/// Fails, so that the interpreter does, unless strings, numbers and tables do what they should.
const TEST: &str =
    r#"assert(("a"):rep(3) == "aaa" and 2^10 // 1 == 1024 and #{1, 2} == 2 and load("return 7")() == 7)"#;

fn site(how: &str) -> Result<Site> {
    Site::new(&format!("Lua through {how}"), |tree: &Path| {
        // The sources that are no modules are not among those that are compiled.
        lua::copy(tree)?;
        for name in ["ltests.c", "onelua.c"] {
            fs::remove_file(tree.join(name)).ok();
        }
        fs::write(tree.join("run.c"), RUN)?;
        fs::write(tree.join("Makefile"), MAKEFILE)?;
        Ok(fs::write(tree.join("CMakeLists.txt"), CMAKE)?)
    })
}

#[test]
fn lua_is_built_once_through_make() -> Result<()> {
    if !installed(&["gcc", "make"]) {
        return Ok(());
    }
    site("make")?.build_twice(|by: By| Recipe {
        configure: "true".to_owned(),
        list: format!("make -n CC='{}'", by.cc()),
        build: format!("make -j 2 CC='{}'", by.cc()),
        clean: "make clean".to_owned(),
        test: Some(format!("./run '{TEST}'")),
    })
}

#[test]
fn lua_is_built_once_through_cmake_and_ninja() -> Result<()> {
    if !installed(&["gcc", "cmake", "ninja"]) {
        return Ok(());
    }
    site("CMake and ninja")?.build_twice(|by| Recipe {
        test: Some(format!("build/run '{TEST}'")),
        ..cmake(by, "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "")
    })
}
