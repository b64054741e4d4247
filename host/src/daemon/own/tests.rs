use super::serve;
use crate::client::{Client, ClientError};
use crate::daemon::clients::{Clients, Handle};
use crate::daemon::shared::{Given, Shared};
use crate::key::Name;
use crate::protocol::own::Code;
use crate::protocol::own::reply::{Found, Recorded};
use crate::protocol::own::request::{Record, Which};
use crate::repository::user::UserSettings;
use crate::runtime::Runtime;
use crate::store::{Options, Store};
use crate::time::Timestamp;
use std::fmt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Scope, scope};
use std::time::{Duration, SystemTime};

static BROKEN: AtomicBool = AtomicBool::new(false);

/// A clock that can break: what is asked for the time breaks with it.
fn clock() -> Timestamp {
    assert!(!BROKEN.load(Ordering::SeqCst), "the clock is broken");
    Timestamp::of(SystemTime::now())
}

struct Site {
    top: tempfile::TempDir,
    shared: Arc<Shared>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&said);
        let store = Store::open(&top.path().join("cache"), Options::default()).unwrap();
        let given = Given {
            runtime: Arc::new(Runtime::new(Some(store.layout().artifacts()))),
            store,
            dune: None,
            user: UserSettings::default(),
            grants: None,
            now: clock,
            log: Arc::new(move |line: fmt::Arguments<'_>| log.lock().unwrap().push(line.to_string())),
            patience: Duration::from_secs(10),
        };
        std::fs::create_dir(top.path().join("r")).unwrap();
        std::fs::write(top.path().join("r/a"), "a").unwrap();
        let (_, wake) = UnixStream::pair().unwrap();
        let shared = Arc::new(Shared::new(given, Arc::new(Clients::new(wake))));
        Self { top, shared, said }
    }

    fn root(&self) -> PathBuf {
        self.top.path().join("r")
    }

    /// A client that is served in a thread of its own.
    fn client<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> Client {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let entered = self.shared.clients.enter(Handle::Unix(theirs.try_clone().unwrap()));
        scope.spawn(move || serve(theirs, &entered, &self.shared));
        let mut client = Client::over(ours).unwrap();
        client.repository(&self.root()).unwrap();
        client
    }
}

fn record() -> Record {
    Record { name: Name::new("n").unwrap(), metadata: Vec::new(), files: vec!["a".into()], root: None }
}

#[test]
fn a_panic_is_an_answer_and_the_end_of_its_connection_alone() {
    let site = Site::new();
    scope(|scope| {
        let (mut one, mut other) = (site.client(scope), site.client(scope));
        assert!(matches!(one.record(record()), Ok(Recorded::Yes(_))));
        BROKEN.store(true, Ordering::SeqCst);
        let broke = one.record(record());
        assert!(matches!(broke, Err(ClientError::Refused { code: Code::Internal, .. })), "{broke:?}");
        assert!(matches!(one.stats(), Err(ClientError::Gone | ClientError::Io(_))));
        BROKEN.store(false, Ordering::SeqCst);
        let Found(found) = other.find(Which::Name(Name::new("n").unwrap())).unwrap();
        assert!(found.is_some());
        assert!(matches!(site.client(scope).record(record()), Ok(Recorded::Yes(_))));
    });
    let said = site.said.lock().unwrap();
    assert!(said.iter().any(|line| line.contains("`record` broke")), "{said:?}");
}
