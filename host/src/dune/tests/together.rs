//! What happens to a file between its reading and its place, while others work too.

use super::{NEWEST, Site, promote, told};
use crate::dune::{Annotate, AnnotateError, Provenance};
use crate::protocol::csexp::Sexp;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

/// Two workspaces are built at once. Whoever found the file there already gave it the present time, since it is used; whoever had
/// just put it there took that for a write and removed it, and was refused. The other one's rule named nothing then, and its
/// client was told to link to it: of two thousand such rounds thirty.
#[test]
fn those_who_promote_one_content_at_once_are_all_served() {
    const ROUNDS: usize = 1000;
    let (site, barrier) = (Site::new(), Barrier::new(3));
    let one = |who: u8| {
        let mut session = site.session(NEWEST);
        let mut said = Vec::new();
        for round in 0..ROUNDS {
            let (path, content) = (format!("default/{who}/{round}"), format!("content {round}"));
            site.write(&path, &content, 0o444);
            barrier.wait();
            thread::sleep(Duration::from_micros(60 * u64::from(who)));
            said.extend(told(&promote(&mut session, who, &[(&path, &content)])));
        }
        said
    };
    let said: Vec<_> = thread::scope(|scope| {
        let all = [0, 1, 2].map(|who| scope.spawn(move || one(who)));
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let refused: Vec<_> = said.iter().filter(|line| line.contains("refused")).collect();
    assert!(refused.is_empty(), "{}: {:?}", refused.len(), refused[0]);
    assert!((0..ROUNDS).all(|round| site.stored(&format!("content {round}")).exists()));
}

/// Changes permissions after files were read, and before they are kept.
struct Permits(PathBuf, u32);

impl Annotate for Permits {
    fn annotate(&mut self, _: &Provenance<'_>) -> Result<Option<Sexp>, AnnotateError> {
        fs::set_permissions(&self.0, Permissions::from_mode(self.1)).unwrap();
        Ok(None)
    }
}

/// The executable bit is part of what a digest says, and was not looked at again.
#[test]
fn what_becomes_executable_after_it_was_read_is_not_kept() {
    let site = Site::new();
    let built = site.write("default/a", "one", 0o444);
    let executable = |path: PathBuf| {
        let mut session = site.session(NEWEST);
        session.annotate = Some(Box::new(Permits(path, 0o555)));
        session
    };
    let answer = promote(&mut executable(built.clone()), 1, &[("default/a", "one")]);
    assert!(told(&answer).concat().contains("changes while it is read"), "{:?}", told(&answer));
    assert!(!site.stored("one").exists());
    // One that is in the store already.
    fs::set_permissions(&built, Permissions::from_mode(0o444)).unwrap();
    promote(&mut site.session(NEWEST), 2, &[("default/a", "one")]);
    let answer = promote(&mut executable(site.stored("one")), 3, &[("default/a", "one")]);
    assert!(told(&answer).concat().contains("changes while it is read"), "{:?}", told(&answer));
}
