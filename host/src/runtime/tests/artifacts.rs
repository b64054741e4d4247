//! Compiled components are kept, trusted only where nobody else could have written them, and made again otherwise.

use super::*;
use crate::runtime::{artifact, engine};
use crate::sum;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// A plugin whose bytes are in a file that is gone unless it is put there: what works without it came from an artefact.
struct Bench {
    scratch: tempfile::TempDir,
    source: PluginSource,
    bytes: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let bytes = component("key", GOOD);
        let mut source = source(bytes.clone());
        source.bytes = Bytes::File(scratch.path().join("good.wasm"));
        let bench = Self { scratch, source, bytes };
        bench.put();
        bench
    }

    fn put(&self) {
        fs::write(self.scratch.path().join("good.wasm"), &self.bytes).unwrap();
    }

    fn take_away(&self) {
        fs::remove_file(self.scratch.path().join("good.wasm")).unwrap();
    }

    fn artifacts(&self) -> PathBuf {
        self.scratch.path().join("cache/artifacts")
    }

    /// Whether the plugin works in a new process.
    fn works(&self) -> bool {
        self.works_with(&self.artifacts())
    }

    fn works_with(&self, artifacts: &Path) -> bool {
        let runtime = Arc::new(Runtime::new(Some(artifacts.to_owned())));
        matches!(derive(&WasmKey::new(runtime, self.source.clone())), Ok(Ok(_)))
    }

    fn kept(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.artifacts()) else { return vec![] };
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn a_kept_artifact_needs_no_component() {
    let bench = Bench::new();
    assert!(bench.works());
    bench.take_away();
    assert!(bench.works());
    let [kept] = &bench.kept()[..] else { panic!("{:?}", bench.kept()) };
    assert!(kept.file_name().unwrap().to_str().unwrap().starts_with(&bench.source.digest.to_hex()));
    assert_eq!(fs::metadata(kept).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(bench.artifacts()).unwrap().mode() & 0o777, 0o700);
}

/// Puts other bytes in the place of a kept artefact, as another file.
fn replace(kept: &Path, bytes: &[u8]) {
    fs::remove_file(kept).unwrap();
    fs::write(kept, bytes).unwrap();
    fs::set_permissions(kept, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_damaged_artifact_is_made_again() {
    let damages: [fn(&mut Vec<u8>); 7] = [
        Vec::clear,
        |bytes| bytes.truncate(10),
        |bytes| bytes.truncate(31),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.push(0),
        |bytes| bytes.fill(0),
        // What a crash leaves of a file that has its size but not all of its blocks.
        |bytes| bytes[4096..].fill(0),
    ];
    for damage in damages {
        let bench = Bench::new();
        assert!(bench.works());
        let kept = bench.kept().remove(0);
        let mut bytes = fs::read(&kept).unwrap();
        damage(&mut bytes);
        replace(&kept, &bytes);
        bench.take_away();
        assert!(!bench.works(), "a damaged artefact is not used");
        bench.put();
        assert!(bench.works());
        assert_eq!(bench.kept(), std::slice::from_ref(&kept));
        assert!(fs::read(&kept).unwrap() != bytes, "it is replaced");
        bench.take_away();
        assert!(bench.works(), "the artefact is whole again");
    }
}

/// Also such bytes are guarded as the engine itself never looks at when it loads: code above all.
#[test]
fn no_region_of_an_artifact_may_differ() {
    let bench = Bench::new();
    assert!(bench.works());
    bench.take_away();
    let kept = bench.kept().remove(0);
    let whole = fs::read(&kept).unwrap();
    // Each page of 4 KiB, the header byte by byte, and the sum byte by byte.
    let pages = (0..whole.len()).step_by(512);
    for at in (0..64).chain(pages).chain(whole.len() - 40..whole.len()) {
        for bit in [0, 7] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            replace(&kept, &bytes);
            assert!(!bench.works(), "bit {bit} of byte {at}");
        }
    }
    replace(&kept, &whole);
    assert!(bench.works());
}

/// An artefact that was put back under another's name was once executed: it answered for a plugin that it is not of, and the
/// answer was remembered.
#[test]
fn an_artifact_under_the_name_of_another_is_not_used() {
    let (bench, other) = (Bench::new(), Bench::new());
    assert!(bench.works());
    let whole = fs::read(bench.kept().remove(0)).unwrap();
    // Another component, for the bytes of a component are all that tells plugins apart.
    let bytes = component("key", &GOOD.replace("\"good", "\"g00d"));
    let digest = Digest::of(&bytes);
    let other = Bench { source: PluginSource { digest, ..other.source.clone() }, bytes, ..other };
    other.put();
    assert!(other.works());
    let kept = other.kept().remove(0);
    replace(&kept, &whole);
    other.take_away();
    assert!(!other.works());
    other.put();
    assert!(other.works());
    assert!(fs::read(&kept).unwrap() != whole, "it is replaced");
}

/// The sum is right and the file is private: what is left is what the engine says of it.
#[test]
fn an_artifact_of_another_engine_or_another_component_is_not_used() {
    let bench = Bench::new();
    assert!(bench.works());
    let kept = bench.kept().remove(0);
    let whole = fs::read(&kept).unwrap();
    let name = kept.file_name().unwrap().to_str().unwrap().to_owned();
    let summed = |artifact: &[u8]| [artifact, &artifact::named(sum::of(artifact), &name)].concat();
    let artifact = &whole[..whole.len() - 32];
    assert!(summed(artifact) == whole);

    // Another version: the engine writes its own into the artefact.
    let version = b"\x0248";
    let at = artifact.windows(3).position(|bytes| bytes == version).expect("the engine's version");
    let mut other = artifact.to_vec();
    other[at + 2] = b'7';
    // Other settings: one without fuel, one without the clock, one of a module instead of a component.
    let mut others = vec![other];
    for change in [
        (|config| config.consume_fuel(false)) as fn(&mut wasmtime::Config) -> &mut wasmtime::Config,
        |config| config.epoch_interruption(false),
        |config| config.memory_guard_size(1 << 20),
    ] {
        let mut config = engine::configuration();
        change(&mut config);
        let engine = wasmtime::Engine::new(&config).unwrap();
        others.push(engine.precompile_component(&bench.bytes).unwrap());
    }
    let engine = wasmtime::Engine::new(&engine::configuration()).unwrap();
    others.push(engine.precompile_module(&wat::parse_str(guest!("core-module")).unwrap()).unwrap());
    for other in others {
        let other = summed(&other);
        replace(&kept, &other);
        bench.take_away();
        assert!(!bench.works());
        bench.put();
        assert!(bench.works());
        assert!(fs::read(&kept).unwrap() != other, "it is replaced");
    }
    // Names are trusted, but roles are checked.
    bench.take_away();
    replace(
        &kept,
        &summed(&engine.precompile_component(&component("eviction", guest!("eviction-good"))).unwrap()),
    );
    assert!(!bench.works());
}

/// Settings that the engine would take an artefact in spite of are kept apart by their names.
#[test]
fn another_configuration_has_another_name() {
    let bench = Bench::new();
    assert!(bench.works());
    let [kept] = &bench.kept()[..] else { panic!("{:?}", bench.kept()) };
    let named = |change: fn(&mut wasmtime::Config) -> &mut wasmtime::Config| {
        let mut config = engine::configuration();
        change(&mut config);
        let engine = wasmtime::Engine::new(&config).unwrap();
        artifact::Artifacts::new(bench.artifacts()).find(&engine, bench.source.digest).is_some()
    };
    assert!(named(|config| config));
    assert!(!named(|config| config.cranelift_nan_canonicalization(false)));
    assert!(!named(|config| config.cranelift_opt_level(wasmtime::OptLevel::None)));
    assert!(!named(|config| config.wasm_relaxed_simd(true)));
    assert!(kept.is_file());
}

#[test]
fn an_artifact_of_another_owner_is_not_used() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: only root can give files away\n")
            .unwrap();
        return;
    }
    let bench = Bench::new();
    assert!(bench.works());
    let kept = bench.kept().remove(0);
    bench.take_away();
    let own = |path: &Path, owner| std::os::unix::fs::chown(path, Some(owner), Some(owner)).unwrap();
    for path in [&kept, &bench.artifacts()] {
        own(path, 65534);
        assert!(!bench.works(), "{}", path.display());
        own(path, 0);
        assert!(bench.works());
    }
    // In a directory of its own the plugin's file is replaced, in somebody else's nothing is touched.
    own(&kept, 65534);
    bench.put();
    assert!(bench.works());
    assert_eq!(fs::metadata(&kept).unwrap().uid(), 0);
    own(&bench.artifacts(), 65534);
    let before = fs::metadata(&kept).unwrap().ino();
    assert!(bench.works());
    assert_eq!(fs::metadata(&kept).unwrap().ino(), before);
}

#[test]
fn an_artifact_that_others_may_write_is_not_used() {
    let bench = Bench::new();
    assert!(bench.works());
    let kept = bench.kept().remove(0);
    bench.take_away();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (path, wrong, right) in
        [(&kept, 0o620, 0o600), (&bench.artifacts(), 0o770, 0o700), (&kept, 0o602, 0o600)]
    {
        mode(path, wrong);
        assert!(!bench.works(), "{} {wrong:o}", path.display());
        mode(path, right);
        assert!(bench.works());
    }
}

#[test]
fn no_link_is_followed_to_an_artifact() {
    let bench = Bench::new();
    assert!(bench.works());
    bench.take_away();
    let link = bench.scratch.path().join("link");
    symlink(bench.artifacts(), &link).unwrap();
    assert!(!bench.works_with(&link));
    let kept = bench.kept().remove(0);
    let elsewhere = bench.scratch.path().join("elsewhere");
    fs::rename(&kept, &elsewhere).unwrap();
    symlink(&elsewhere, &kept).unwrap();
    assert!(!bench.works());
}

#[test]
fn an_unusable_directory_means_compiling_in_memory() {
    let bench = Bench::new();
    let file = bench.scratch.path().join("file");
    fs::write(&file, "").unwrap();
    for unusable in [file.join("below"), file, PathBuf::from("/proc/none")] {
        assert!(bench.works_with(&unusable), "{}", unusable.display());
    }
    fs::create_dir_all(bench.artifacts()).unwrap();
    fs::set_permissions(bench.artifacts(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(bench.works());
    assert_eq!(bench.kept(), Vec::<PathBuf>::new(), "nothing is put where others may write");
}

#[test]
fn two_threads_may_load_one_plugin_at_once() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| bench.works())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
    assert_eq!(bench.kept().len(), 1, "no temporary file is left");
    let key = WasmKey::new(Arc::new(Runtime::new(Some(bench.artifacts()))), bench.source.clone());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(derive(&key).is_ok()));
        }
    });
}
