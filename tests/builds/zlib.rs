//! zlib: a library in C with a script that configures it, and with tests of its own.

use crate::recipe::{By, Recipe, cmake};
use crate::site::{Site, installed, no_sources};
use crate::sources::{self, find};
use anyhow::Result;
use std::fs;

fn site(how: &str) -> Result<Option<Site>> {
    let Some(from) = find("zlib") else {
        no_sources("zlib");
        return Ok(None);
    };
    Site::new(&format!("zlib through {how}"), move |tree| {
        sources::copy(&from, tree)?;
        // Debian leaves it out; `CMake` wants it to be there, and does nothing with it.
        fs::create_dir_all(tree.join("win32"))?;
        Ok(fs::write(tree.join("win32/zlib1.rc"), "")?)
    })
    .map(Some)
}

#[test]
fn zlib_is_built_once_through_make_and_its_tests_pass() -> Result<()> {
    if !installed(&["gcc", "make"]) {
        return Ok(());
    }
    let Some(site) = site("make")? else { return Ok(()) };
    site.build_twice(|by: By| Recipe {
        configure: format!("CC='{}' CFLAGS=-O1 ./configure", by.cc()),
        list: "make -n".to_owned(),
        build: "make -j 2".to_owned(),
        clean: "make clean".to_owned(),
        test: Some("make test".to_owned()),
    })
}

#[test]
fn zlib_is_built_once_through_cmake_and_ninja_and_its_tests_pass() -> Result<()> {
    if !installed(&["gcc", "cmake", "ninja", "ctest"]) {
        return Ok(());
    }
    let Some(site) = site("CMake and ninja")? else { return Ok(()) };
    site.build_twice(|by| Recipe {
        test: Some("cd build && ctest --output-on-failure".to_owned()),
        ..cmake(by, "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "")
    })
}
