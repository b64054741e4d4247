//! Which shared libraries a program needs, found as the dynamic loader finds them: `RPATH` and `RUNPATH` with `$ORIGIN`,
//! `LD_LIBRARY_PATH`, the loader's cache, and the directories that every system has. Where there are several candidates
//! all of them count: a needless miss is better than a library that was not looked at. `LD_PRELOAD` counts too.
//!
//! Sources: ld.so(8) for the order, `elf.h` for the dynamic section, glibc's `dl-cache.h` for the cache's layout.

use super::program::Search;
use super::resolve::{Doubt, unseen};
use object::elf;
use object::read::elf::{ElfFile, FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

const LOADER_CACHE: &str = "/etc/ld.so.cache";
const USUAL: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// What the dynamic section of a file asks for.
#[derive(Default, Debug)]
struct Dynamic {
    interpreter: Option<PathBuf>,
    libraries: Vec<Vec<u8>>,
    directories: Vec<Vec<u8>>,
    /// Whether the file has a dynamic segment.
    segment: bool,
    /// Whether it tells what is in it.
    told: bool,
}

/// The files that an ELF file needs.
pub(super) fn needed(search: &Search<'_>, path: &Path, file: File) -> Result<Vec<PathBuf>, Doubt> {
    let cache = ReadCache::new(file);
    // What is no well-formed ELF file cannot be run either, and needs nothing.
    let Some(dynamic) = read(&cache) else { return Ok(Vec::new()) };
    if dynamic.segment && !dynamic.told {
        return Err(Doubt::Untold(path.to_owned()));
    }
    let environment = &search.resolver.environment;
    let mut needs: Vec<PathBuf> = dynamic.interpreter.into_iter().collect();
    let mut directories: Vec<PathBuf> =
        dynamic.directories.iter().map(|directory| expand(directory, path)).collect();
    directories.extend(environment.variable("LD_LIBRARY_PATH").into_iter().flat_map(std::env::split_paths));

    let cached = if dynamic.libraries.is_empty() { Vec::new() } else { loader_cache(search)? };
    let preloaded = environment.variable("LD_PRELOAD").unwrap_or_default().as_bytes();
    let preloaded = preloaded.split(|byte| *byte == b' ' || *byte == b':').filter(|name| !name.is_empty());
    for name in dynamic.libraries.iter().map(Vec::as_slice).chain(preloaded) {
        needs.append(&mut candidates(search, name, &directories, &cached)?);
    }
    Ok(needs)
}

fn candidates(
    search: &Search<'_>,
    name: &[u8],
    directories: &[PathBuf],
    cached: &[(Vec<u8>, PathBuf)],
) -> Result<Vec<PathBuf>, Doubt> {
    let name_as_path = Path::new(OsStr::from_bytes(name));
    if name.contains(&b'/') {
        return Ok(vec![search.resolver.environment.absolute(name_as_path).into_owned()]);
    }
    let mut found = Vec::new();
    for directory in directories {
        let candidate = search.resolver.environment.absolute(directory).join(name_as_path);
        if search.look(&candidate)?.is_some() {
            found.push(candidate);
        }
    }
    found.extend(cached.iter().filter(|(known, _)| known == name).map(|(_, path)| path.clone()));
    if found.is_empty() {
        for directory in USUAL {
            let candidate = Path::new(directory).join(name_as_path);
            if search.look(&candidate)?.is_some() {
                found.push(candidate);
            }
        }
    }
    Ok(found)
}

fn expand(directory: &[u8], program: &Path) -> PathBuf {
    let real = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let origin = real.parent().unwrap_or(Path::new("/")).to_string_lossy();
    let text = String::from_utf8_lossy(directory);
    PathBuf::from(text.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
}

fn read<'data>(data: impl ReadRef<'data>) -> Option<Dynamic> {
    match object::FileKind::parse(data).ok()? {
        object::FileKind::Elf64 => read_class::<elf::FileHeader64<object::Endianness>, _>(data),
        object::FileKind::Elf32 => read_class::<elf::FileHeader32<object::Endianness>, _>(data),
        _ => None,
    }
}

fn read_class<'data, Elf: FileHeader, R: ReadRef<'data>>(data: R) -> Option<Dynamic> {
    let file = ElfFile::<Elf, R>::parse(data).ok()?;
    let mut found = Dynamic::default();
    for segment in file.elf_program_headers() {
        found.segment |= segment.p_type(file.endian()) == elf::PT_DYNAMIC;
        if let Ok(Some(interpreter)) = segment.interpreter(file.endian(), data) {
            found.interpreter = Some(PathBuf::from(OsStr::from_bytes(interpreter)));
        }
    }
    let table = file.elf_dynamic_table().ok()?;
    found.told = !table.is_empty();
    for entry in &table {
        let text = || table.string(entry).unwrap_or_default();
        if entry.tag == elf::DT_NEEDED {
            found.libraries.push(text().to_vec());
        } else if entry.tag == elf::DT_RPATH || entry.tag == elf::DT_RUNPATH {
            found
                .directories
                .extend(text().split(|byte| *byte == b':').filter(|d| !d.is_empty()).map(<[u8]>::to_vec));
        }
    }
    Some(found)
}

/// All names and paths in the loader's cache. Its absence means that the loader has none.
fn loader_cache(search: &Search<'_>) -> Result<Vec<(Vec<u8>, PathBuf)>, Doubt> {
    let path = Path::new(LOADER_CACHE);
    if search.look(path)?.is_none() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(path).map_err(unseen(path))?;
    Ok(parse_cache(&bytes).unwrap_or_default())
}

/// The layout of glibc's cache, version 1.1, all numbers of four bytes: a magic of 20 bytes, the number of entries, 24
/// more bytes; then entries of 24 bytes (flags, offset of the name, offset of the path, 12 bytes that do not matter
/// here), whose offsets count from the magic.
fn parse_cache(bytes: &[u8]) -> Option<Vec<(Vec<u8>, PathBuf)>> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    let bytes = &bytes[memchr::memmem::find(bytes, MAGIC)?..];
    let number = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let text = |at: usize| bytes.get(at..)?.split(|byte| *byte == 0).next();
    let count = number(20)?.min(bytes.len() / 24);
    (0..count)
        .map(|entry| {
            let at = 48 + 24 * entry;
            let (name, path) = (text(number(at + 4)?)?, text(number(at + 8)?)?);
            Some((name.to_vec(), PathBuf::from(OsStr::from_bytes(path))))
        })
        .collect()
}
