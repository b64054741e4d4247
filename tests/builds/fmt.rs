//! fmt: formatting in C++, nearly all of it templates, with those of its tests that are compiled soonest. Debian's package
//! leaves out the googletest that the tests bring, so they get Debian's own.

use crate::recipe::{Recipe, cmake};
use crate::site::{Site, installed, no_sources};
use crate::sources::{self, find};
use anyhow::Result;
use std::fs;

/// What `test/gtest` holds where it is not left out.
const GTEST: &str = "\
find_package(Threads)
set(from ${PROJECT_SOURCE_DIR}/googletest)
add_library(gtest STATIC ${from}/googletest/src/gtest-all.cc ${from}/googlemock/src/gmock-all.cc)
target_compile_definitions(gtest PUBLIC GTEST_HAS_STD_WSTRING=1)
target_include_directories(gtest SYSTEM PUBLIC ${from}/googletest/include ${from}/googlemock/include)
target_include_directories(gtest PRIVATE ${from}/googletest ${from}/googlemock)
target_link_libraries(gtest Threads::Threads)
";

/// Without a type of build `CMake` takes fmt's own choice, which is an optimised one.
const OPTIONS: &str =
    "-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG= -DFMT_DOC=OFF -DFMT_TEST=ON -DCMAKE_CXX_STANDARD=17";

fn site(how: &str) -> Result<Option<Site>> {
    let (Some(fmt), Some(googletest)) = (find("fmtlib"), find("googletest")) else {
        no_sources("fmt and googletest");
        return Ok(None);
    };
    let plant = move |tree: &std::path::Path| {
        sources::copy(&fmt, tree)?;
        sources::copy(&googletest, &tree.join("googletest"))?;
        fs::create_dir_all(tree.join("test/gtest"))?;
        Ok(fs::write(tree.join("test/gtest/CMakeLists.txt"), GTEST)?)
    };
    Site::new(&format!("fmt through {how}"), plant).map(Some)
}

#[test]
fn fmt_is_built_once_through_cmake_and_ninja_and_its_tests_pass() -> Result<()> {
    if !installed(&["g++", "cmake", "ninja", "ctest"]) {
        return Ok(());
    }
    let Some(site) = site("CMake and ninja")? else { return Ok(()) };
    let tests = "args-test color-test compile-test ostream-test ranges-test scan-test std-test";
    site.build_twice(|by| Recipe {
        test: Some(format!("cd build && ctest --output-on-failure -R '^({})$'", tests.replace(' ', "|"))),
        ..cmake(by, "Ninja", OPTIONS, tests)
    })
}

#[test]
fn fmt_is_built_once_through_cmake_and_make() -> Result<()> {
    if !installed(&["g++", "cmake", "make"]) {
        return Ok(());
    }
    let Some(site) = site("CMake and make")? else { return Ok(()) };
    let options = OPTIONS.replace("FMT_TEST=ON", "FMT_TEST=OFF");
    site.build_twice(|by| cmake(by, "Unix Makefiles", &options, ""))
}
