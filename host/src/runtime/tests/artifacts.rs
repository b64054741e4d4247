//! Compiled components are kept, trusted only where nobody else could have written them, and made again otherwise.

use super::*;
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

#[test]
fn a_damaged_artifact_is_made_again() {
    let damages: [fn(&mut Vec<u8>); 6] = [
        Vec::clear,
        |bytes| bytes.truncate(10),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.push(0),
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
        |bytes| bytes.fill(0),
    ];
    for damage in damages {
        let bench = Bench::new();
        assert!(bench.works());
        let kept = bench.kept().remove(0);
        let mut bytes = fs::read(&kept).unwrap();
        damage(&mut bytes);
        fs::remove_file(&kept).unwrap();
        fs::write(&kept, bytes).unwrap();
        bench.take_away();
        assert!(!bench.works(), "a damaged artefact is not used");
        bench.put();
        assert!(bench.works());
        bench.take_away();
        assert!(bench.works(), "the artefact is whole again");
    }
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
