//! Wrong usage is 64 and wrong configuration 78, both before any call.

use serde_json::json;

use super::harness::{Lambda, Room};

const WISHES: &str =
    "functions:\n  - function: f\n    statements: [{sid: a, principal: '210987654321'}]\n";

#[test]
fn wrong_usage() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda.room(WISHES);
    for (words, cause) in [
        ("", "Usage: permitd"),
        ("repair", "unrecognized subcommand 'repair'"),
        ("paln", "'plan'"),
        ("plan permissions.yaml --bogus", "unexpected argument '--bogus'"),
        ("plan permissions.yaml --detailed-exitcod", "'--detailed-exitcode'"),
        ("plan permissions.yaml --mode destroy", "invalid value 'destroy' for '--mode <MODE>'"),
        ("plan permissions.yaml --output xml", "invalid value 'xml' for '--output <OUTPUT>'"),
        (
            "plan permissions.yaml --color sometimes",
            "invalid value 'sometimes' for '--color <WHEN>'",
        ),
        (
            "plan permissions.yaml --get-policy-budget fast",
            "invalid value 'fast' for '--get-policy-budget <RATE>'",
        ),
        (
            "plan permissions.yaml --control-budget 0/s",
            "invalid value '0/s' for '--control-budget <RATE>'",
        ),
        (
            "plan permissions.yaml --max-revocations few",
            "invalid value 'few' for '--max-revocations <N>': `few` is not a count",
        ),
        (
            "plan permissions.yaml --max-changed-targets 30",
            "invalid value '30' for '--max-changed-targets <SHARE>': `30` is not a share",
        ),
        (
            "plan permissions.yaml --account 12345",
            "--account: `12345` is not an account id: it has twelve digits",
        ),
        ("plan permissions.yaml --region nowhere", "--region: `nowhere` is not a region"),
        ("plan permissions.yaml --log-level =", "--log-level `=` is not a level or a filter"),
        ("plan permissions.yaml --target", "a value is required for '--target <GLOB>'"),
        ("plan", "no permission files: name some, as in `permitd plan permissions.yaml`"),
        ("apply permissions.yaml --yes", "`permitd apply` needs a mode"),
        ("apply permissions.yaml --detailed-exitcode", "unexpected argument '--detailed-exitcode'"),
        (
            "check permissions.yaml --deny P001,p002",
            "risks are P001 to P008, other warnings expires-",
        ),
        (
            "check permissions.yaml --report x.pdf",
            "hint: the ending says the form of the report: .txt, .json, .sarif",
        ),
        ("check permissions.yaml --report -", "takes the name of a file, not `-`"),
        ("check permissions.yaml --report a/b.json", "there is no folder a"),
        ("iam permissions.yaml --mode destroy", "invalid value 'destroy' for '--mode <MODE>'"),
        ("iam permissions.yaml --account 123456789012 --target z", "--target matches no target"),
        ("iam", "no permission files"),
        ("demo extra", "unexpected argument 'extra'"),
    ] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "`{words}`: {said:?}");
        assert!(said.err.contains(cause), "`{words}`: no `{cause}` in {said:?}");
        assert_eq!(lambda.calls(), Vec::<String>::new(), "`{words}`");
    }
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

/// The image has what it takes.
#[cfg(not(feature = "kubernetes"))]
#[test]
fn a_lease_needs_a_permitd_that_was_built_with_it() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda.room(WISHES);
    let said = room.permitd("run permissions.yaml --mode observe --lease permitd/main");
    said.is(
        64,
        "",
        "error: `--lease` needs a permitd that was built with the feature `kubernetes`\n\
         hint: take the container image, which has it, or build with `cargo build --release --features kubernetes`\n",
    );
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

#[test]
fn wrong_configuration() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda.room(
        "functions:\n  - function: f\n    statements: [{sid: a, principal: bogus principal}]\n",
    );
    for command in ["plan", "apply --mode enforce --yes", "run --mode enforce --once", "check"] {
        let said = room.permitd(&format!("{command} permissions.yaml"));
        assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{command}: {said:?}");
        assert!(said.err.contains("--> permissions.yaml:3:38"), "{command}: {said:?}");
    }
    assert_eq!(lambda.calls(), Vec::<String>::new(), "not even who we are");
}

#[test]
fn version_and_help_are_no_errors() {
    let room = Room::new();
    room.permitd("--version").is(0, &format!("permitd {}\n", env!("CARGO_PKG_VERSION")), "");
    let said = room.permitd("--help");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    for word in
        ["plan", "apply", "run", "check", "simulate", "demo", "Exit codes: 0 ", "64 wrong usage"]
    {
        assert!(said.out.contains(word), "no `{word}` in {said:?}");
    }
    assert!(said.out.lines().all(|it| it.chars().count() <= 100), "{said:?}");
}
