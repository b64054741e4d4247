//! A request, and who answers it.

use super::crew::Pass;
use super::refusal::Refused;
use super::repository::{Bench, Repository};
use super::session::Session;
use super::{entries, operations, upkeep};
use crate::protocol::own::reply::{Answer, Forgotten, Named};
use crate::protocol::own::{Code, Reply, Request};
use std::path::Path;

/// What came of a request.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) reply: Reply,
    /// How large the cache is, where it grew.
    pub(super) grown: Option<u64>,
}

impl From<Reply> for Done {
    fn from(reply: Reply) -> Self {
        Self { reply, grown: None }
    }
}

/// Answers a request. What may take long passes the turn first.
pub(super) fn answer(
    session: &Session<'_>,
    request: Request,
    bench: &mut Option<Bench>,
    pass: &mut Pass<'_>,
) -> Result<Done, Refused> {
    let bench = ready(session, bench);
    let operations = &session.operations;
    match request {
        Request::Repository { path } => name(session, &path).map(|named| done(&named)),
        Request::Find(which) => entries::find(bench?, &which).map(|found| done(&found)),
        Request::Revive(revive) => entries::revive(bench?, &revive, pass).map(|revived| done(&revived)),
        Request::Forget { operation } => {
            bench?;
            operations.take(operation).map(|_| done(&Forgotten))
        }
        Request::Hash { path } => upkeep::hash(bench?, &path, pass).map(|hashed| done(&hashed)),
        Request::Record(record) => {
            let bench = bench?;
            pass();
            let (recorded, grown) = entries::record(bench, &record)?;
            Ok(Done { grown, ..done(&recorded) })
        }
        Request::Derive(derive) => {
            let bench = bench?;
            pass();
            operations::derive(session, bench, derive).map(|derived| done(&derived))
        }
        Request::ReviveOperation { operation } => {
            let bench = bench?;
            pass();
            operations::revive(session, bench, operation).map(|again| done(&again))
        }
        Request::RecordOperation(ran) => {
            let bench = bench?;
            pass();
            let (recorded, grown) = operations::record(session, bench, ran)?;
            Ok(Done { grown, ..done(&recorded) })
        }
        Request::Stats => {
            let bench = bench?;
            pass();
            upkeep::stats(bench).map(|stats| done(&stats))
        }
        Request::Trim { size } => {
            let bench = bench?;
            pass();
            upkeep::trim(session, bench, size).map(|trimmed| done(&trimmed))
        }
    }
}

fn done(answer: &impl Answer) -> Done {
    Done::from(Reply::ok(answer))
}

fn name(session: &Session<'_>, path: &Path) -> Result<Named, Refused> {
    let twice = || Refused::because(Code::RepositoryNamed, "this connection has a repository already");
    if session.repository.get().is_some() {
        return Err(twice());
    }
    let repository = Repository::around(path, session.shared)?;
    let named = repository.named();
    session.repository.set(repository).map_err(|_| twice())?;
    Ok(named)
}

/// What this thread has of the repository that was named.
fn ready<'b>(session: &Session<'_>, bench: &'b mut Option<Bench>) -> Result<&'b mut Bench, Refused> {
    let none = || Refused::because(Code::NoRepository, "the first request names the repository");
    match bench {
        Some(bench) => Ok(bench),
        None => Ok(bench.insert(session.repository.get().ok_or_else(none)?.bench())),
    }
}
