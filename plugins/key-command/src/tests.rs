//! What identifies commands.

use super::*;
use reviver_sdk::testing::TestHost;
use reviver_sdk::{Input, Source, WriteKind};

reviver_sdk::conformance!(
    key: Command,
    [tar(), Operation::new(["make-it"]).writes(["b/", "a"]), Operation::new(["true"]).variables(["HOME"])]
);

mod moved {
    use super::{Command, TestHost, tar};
    reviver_sdk::conformance!(
        key: Command,
        [tar(), tar().root("/")],
        host: TestHost::new().configuration(r#"{"relocatable": true}"#)
    );
}

fn tar() -> Operation {
    Operation::new(["/usr/bin/tar", "-cf", "../out.tar", "src"])
        .root("/home/ada/project")
        .directory("lib")
        .reads(["src/", "/home/ada/project/NOTES", "/etc/tarrc"])
        .writes(["../out.tar"])
        .variables(["TZ", "TAR_OPTIONS"])
}

fn derive(configuration: &str, operation: &Operation) -> Derivation {
    TestHost::new().configuration(configuration).derive::<Command>(operation).expect("a derivation")
}

fn labels(derivation: &Derivation) -> Vec<&str> {
    derivation.ingredients.iter().map(|ingredient| &*ingredient.label).collect()
}

fn source<'a>(derivation: &'a Derivation, label: &str) -> Option<&'a Source> {
    derivation.ingredients.iter().find(|one| one.label == label).map(|one| &one.source)
}

fn refusal(configuration: &str, operation: &Operation) -> Refusal {
    let host = TestHost::new().configuration(configuration);
    host.derive::<Command>(operation).expect_err("a refusal")
}

#[test]
fn everything_declared_identifies_a_command() {
    let derivation = derive("{}", &tar());
    assert_eq!(derivation.label, "tar ../out.tar");
    assert_eq!(derivation.input, Input::Read);
    let text = |text: &str| Some(Source::Text(text.to_owned()));
    assert_eq!(source(&derivation, "argument 0").cloned(), text("/usr/bin/tar"));
    assert_eq!(source(&derivation, "argument 3").cloned(), text("src"));
    assert_eq!(source(&derivation, "root").cloned(), text("/home/ada/project"));
    assert_eq!(source(&derivation, "directory").cloned(), text("lib"));
    assert_eq!(source(&derivation, "write 0").cloned(), text("../out.tar"));
    assert_eq!(source(&derivation, "program"), Some(&Source::Program("/usr/bin/tar".into())));
    assert_eq!(source(&derivation, "read src/"), Some(&Source::Tree("src/".into())));
    assert_eq!(source(&derivation, "read /etc/tarrc"), Some(&Source::File("/etc/tarrc".into())));
    assert_eq!(source(&derivation, "umask"), Some(&Source::Umask));
    for name in ALWAYS.iter().chain(&["TAR_OPTIONS"]) {
        let label = format!("variable {name}");
        assert_eq!(labels(&derivation).iter().filter(|one| **one == label).count(), 1, "{label}");
    }
}

#[test]
fn a_command_that_moves_with_its_repository_has_one_key_wherever_it_is() {
    let derivation = derive(r#"{"relocatable": true}"#, &tar());
    assert_eq!(source(&derivation, "root"), None);
    assert_eq!(source(&derivation, "read lib/src"), Some(&Source::Tree("src/".into())));
    assert_eq!(source(&derivation, "read NOTES"), Some(&Source::File("/home/ada/project/NOTES".into())));
    assert_eq!(source(&derivation, "read /etc/tarrc"), Some(&Source::File("/etc/tarrc".into())));
    assert_eq!(source(&derivation, "write 0"), Some(&Source::Text("out.tar".into())));

    let elsewhere = tar().root("/srv/project").reads(["src/", "/srv/project/NOTES", "/etc/tarrc"]);
    let elsewhere = derive(r#"{"relocatable": true}"#, &elsewhere);
    let sorted = |derivation: &Derivation| {
        let mut labels: Vec<_> = labels(derivation).into_iter().map(str::to_owned).collect();
        labels.sort();
        labels
    };
    assert_eq!(sorted(&elsewhere), sorted(&derivation));
}

#[test]
fn writes_elsewhere_make_another_key() {
    let one = derive("{}", &Operation::new(["make-it"]).writes(["a/x"]));
    let other = derive("{}", &Operation::new(["make-it"]).writes(["b/x"]));
    assert_ne!(one.ingredients, other.ingredients);
}

#[test]
fn a_trailing_slash_declares_a_directory() {
    let derivation = derive("{}", &Operation::new(["make-it"]).writes(["a/", "b"]));
    let kinds: Vec<_> = derivation.writes.iter().map(|write| (&*write.label, write.kind)).collect();
    assert_eq!(kinds, [("write 0", WriteKind::Directory), ("write 1", WriteKind::Either)]);
}

#[test]
fn labels_are_one_short_line() {
    let script = format!("echo one\n{}", "x".repeat(100));
    let derivation = derive("{}", &Operation::new(["/bin/sh", "-c", &script]).variables(["HOME"]));
    assert!(derivation.label.starts_with("sh -c echo one xxx"), "{}", derivation.label);
    assert!(derivation.label.ends_with("x…"));
    assert_eq!(derive("{}", &Operation::new(["true"]).reads(["a"])).label, "true");
}

#[test]
fn a_command_without_declarations_is_refused_with_what_to_say() {
    let refused = refusal("{}", &Operation::new(["date"]));
    assert_eq!(refused, Refusal::not_cacheable("nothing is declared: say --in, --out or --env"));
    let operation = Operation::new(Vec::<String>::new()).reads(["a"]);
    assert_eq!(refusal("{}", &operation), Refusal::malformed("there is no command"));
}

#[test]
fn wrong_settings_are_told() {
    assert_eq!(
        refusal(r#"{"relocateable": true}"#, &tar()),
        Refusal::malformed("unknown setting `relocateable`: the plugin knows `relocatable`")
    );
    assert_eq!(
        refusal(r#"{"relocatable": "yes"}"#, &tar()),
        Refusal::malformed("setting `relocatable` must be `true` or `false`")
    );
}
