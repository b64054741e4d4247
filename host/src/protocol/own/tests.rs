use super::code::Code;
use super::fields::Fields;
use super::reply::{
    Again, Answer, Derived, Entry, Forgotten, Found, Hashed, Item, Named, Open, Recorded, Reply, Revived,
    Stats, Trim, Trimmed, Unrevived, Write,
};
use super::request::{self, Derive, Destination, NoRequest, Ran, Record, Request, Revive, Which};
use super::{Id, greeting};
use crate::digest::Digest;
use crate::key::{Key, Name};
use crate::operation::WriteKind;
use crate::outcome::{Chunk, Exit, Stream};
use crate::protocol::{Limits, Parser, Sexp};
use crate::store::ItemKind;
use std::fmt::Debug;

fn name() -> Name {
    Name::new("n").unwrap()
}

fn key() -> Key {
    Key::new(Digest::of(b"key"))
}

fn output() -> Vec<Chunk> {
    Stream::ALL.into_iter().map(|stream| Chunk { stream, bytes: b"a\0\xff".to_vec() }).collect()
}

fn requests() -> Vec<Request> {
    let record = Record { name: name(), metadata: vec![0, 255], files: vec!["a".into()], root: None };
    let revive = Revive {
        which: Which::Key(key()),
        to: Destination::Each(vec!["a".into(), "/b".into()]),
        umask: Some(0o027),
    };
    let derive = Derive {
        argv: vec!["gcc".into(), String::new()],
        directory: Some("d".into()),
        reads: vec!["a.*".into()],
        writes: vec!["b".into()],
        variables: vec!["V".into()],
        environment: vec![("PATH".into(), "/bin".into()), ("EMPTY".into(), String::new().into())],
        umask: Some(0),
        joined: true,
        exits: vec![1, 255],
    };
    let ran = Ran { operation: 1, exit: Exit::Code(0), started: 1, ended: u64::MAX, output: output() };
    vec![
        Request::Repository { path: "/r".into() },
        Request::Record(Record { root: Some("r".into()), files: Vec::new(), ..record.clone() }),
        Request::Record(Record { files: Vec::new(), ..record.clone() }),
        Request::Record(record),
        Request::Find(Which::Name(name())),
        Request::Revive(Revive { to: Destination::Root("r".into()), umask: None, ..revive.clone() }),
        Request::Revive(revive),
        Request::Derive(Derive { argv: vec!["x".into()], ..Derive::default() }),
        Request::Derive(derive),
        Request::ReviveOperation { operation: 7 },
        Request::RecordOperation(Ran { exit: Exit::Signal(9), output: Vec::new(), ..ran.clone() }),
        Request::RecordOperation(ran),
        Request::Forget { operation: u64::MAX },
        Request::Hash { path: "f".into() },
        Request::Stats,
        Request::Trim { size: None },
        Request::Trim { size: Some(0) },
    ]
}

fn value(bytes: &[u8]) -> Sexp {
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(bytes);
    parser.next().unwrap().unwrap()
}

#[test]
fn a_request_is_read_as_it_is_written_whatever_the_order_of_its_fields() {
    let id = Id::new(b"\0 id").unwrap();
    for request in requests() {
        let message = value(&request.to_sexp(&id).to_bytes());
        assert_eq!(request::read(message.clone()), Ok((id.clone(), Ok(request.clone()))));
        let Sexp::List(mut values) = message else { panic!("a request is a list") };
        values[2..].reverse();
        assert_eq!(request::read(Sexp::List(values)), Ok((id.clone(), Ok(request))));
    }
}

#[test]
fn a_field_that_is_not_known_or_there_twice_is_an_error_in_every_request() {
    let id = Id::new(b"1").unwrap();
    for request in requests() {
        let Sexp::List(values) = request.to_sexp(&id) else { panic!("a request is a list") };
        let twice = values.last().filter(|_| values.len() > 2).cloned();
        for more in twice.into_iter().chain([Sexp::named("further", [])]) {
            let message = Sexp::list(values.iter().cloned().chain([more]));
            let (_, read) = request::read(message.clone()).unwrap();
            assert!(matches!(read, Err((Code::Malformed, _))), "{message}");
        }
    }
}

/// The last value was taken, and what the command saw may have been the first.
#[test]
fn a_variable_that_is_there_twice_is_an_error() {
    let pair = |name: &str, value: &str| Sexp::list([Sexp::atom(name), Sexp::atom(value)]);
    let derive = |pairs: [Sexp; 2]| {
        let fields = [Sexp::named("argv", [Sexp::atom("sh")]), Sexp::named("environment", pairs)];
        request::read(Sexp::list([Sexp::atom("1"), Sexp::atom("derive")].into_iter().chain(fields)))
            .unwrap()
            .1
    };
    assert!(derive([pair("LANG", "C"), pair("LC_ALL", "C")]).is_ok());
    let (code, words) = derive([pair("LANG", "C"), pair("LANG", "de")]).unwrap_err();
    assert_eq!((code, &*words), (Code::Malformed, "derive: the field `environment` holds `LANG` twice"));
}

#[test]
fn what_has_no_id_is_no_request() {
    let long = vec![b'i'; Id::LONGEST + 1];
    for message in [
        Sexp::atom("a"),
        Sexp::list([]),
        Sexp::list([Sexp::atom(""), Sexp::atom("stats")]),
        Sexp::list([Sexp::list([]), Sexp::atom("stats")]),
        Sexp::list([Sexp::atom(long), Sexp::atom("stats")]),
    ] {
        assert_eq!(request::read(message), Err(NoRequest));
    }
    let longest = vec![b'i'; Id::LONGEST];
    assert!(request::read(Sexp::list([Sexp::atom(longest), Sexp::atom("stats")])).is_ok());
}

/// Writes an answer, reads it, with a field of a later version beside.
fn again<A: Answer + PartialEq + Debug>(answer: &A) {
    let id = Id::new(b"1").unwrap();
    let reply = Reply::ok(answer);
    let (told, read) = Reply::of(value(&reply.clone().into_sexp(&id).to_bytes())).unwrap();
    assert_eq!((&told[..], &read), (id.as_bytes(), &reply));
    let Reply::Ok(mut fields) = read else { panic!("it is ok") };
    fields.push(Sexp::named("later", [Sexp::atom("x")]));
    assert_eq!(&A::of(&mut Fields::of(fields).unwrap()).unwrap(), answer);
}

#[test]
fn an_answer_is_read_as_it_is_written_and_later_fields_are_passed_over() {
    let open = Open {
        base: Digest::of(b"base"),
        arguments: vec!["gcc".into(), "-MD".into()],
        report: Some("/report".into()),
        writes: [WriteKind::File, WriteKind::Directory, WriteKind::Either]
            .map(|kind| Write { label: "o".into(), path: "/a.o".into(), kind })
            .into(),
        unrecorded: Some("held".into()),
    };
    let item = |kind| Item { path: b"p/q".to_vec(), kind, mode: 0o755, size: 3, digest: Digest::of(b"x") };
    let items = [ItemKind::File, ItemKind::Directory, ItemKind::Link].map(item).into();
    again(&Named {
        root: "/r".into(),
        partition: "p".into(),
        key_plugins: vec!["a".into(), "b".into()],
        metadata: "m".into(),
        eviction: "e".into(),
        read_only: true,
    });
    again(&Recorded::Yes(key()));
    again(&Recorded::No { reason: "why".into(), again: true });
    again(&Found(None));
    again(&Found(Some(Entry { key: key(), metadata: vec![0], items })));
    again(&Revived::Yes { key: key(), metadata: vec![], files: vec!["/f".into()] });
    for why in [Unrevived::Absent, Unrevived::Damaged, Unrevived::Number, Unrevived::Places] {
        again(&Revived::No(why));
    }
    again(&Derived { operation: 1, label: "l".into(), key: Some(key()), open: None });
    again(&Derived { operation: 1, label: "l".into(), key: None, open: Some(open.clone()) });
    again(&Again::No(Open { report: None, unrecorded: None, ..open }));
    again(&Again::Yes { key: key(), exit: Exit::Code(3), output: output(), duration: 5 });
    again(&Forgotten);
    again(&Hashed { digest: Digest::of(b"x"), size: 1 });
    let stats = Stats { entries: 1, bytes: 2, uses: 3, hits: 4, misses: 5, uncached: 6, ..Stats::default() };
    again(&Stats { cache_entries: 7, cache_bytes: 8, limit: 9, ..stats });
    again(&Trimmed(None));
    again(&Trimmed(Some(Trim { used: 1, left: 2, entries: 3 })));
}

#[test]
fn a_code_has_a_name_of_its_own() {
    let id = Id::new(b"1").unwrap();
    for code in Code::ALL {
        assert_eq!(Code::from_name(code.name()), Some(code));
        let reply = Reply::error(code, "words");
        assert_eq!(Reply::of(reply.clone().into_sexp(&id)).unwrap().1, reply);
    }
    assert_eq!(greeting().to_sexp().to_bytes(), b"(4:lang7:reviver(1:11:0))");
}
