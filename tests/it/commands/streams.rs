//! Exit codes and streams of every command: data on stdout, everything else on stderr, and what becomes of
//! both when nobody reads them.

use std::process::Stdio;

use serde_json::json;

use super::generated::commands;
use super::harness::{Lambda, PERMITD, Room, Running, Said, policy, service};

const WISHES: &str = "\
functions:
  - function: f
    statements: [{sid: b, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}]
  - function: g
    statements: [{sid: a, principal: '210987654321'}]
";

/// A command: a good way to call it, and whether it takes a settings file and ends by itself.
struct Row {
    words: &'static str,
    configured: bool,
    ends: bool,
}

const fn row(words: &'static str, configured: bool, ends: bool) -> Row {
    Row { words, configured, ends }
}

/// Every command; a test holds it against the help.
const ROWS: &[Row] = &[
    row("plan permissions.yaml", true, true),
    row("apply permissions.yaml --mode enforce --yes", true, true),
    row("run permissions.yaml --mode enforce --once", true, true),
    row("check permissions.yaml", true, true),
    row("compact permissions.yaml", true, true),
    row("explain f permissions.yaml --principal 210987654321", true, true),
    row("import --function f", true, true),
    row("iam permissions.yaml --mode enforce", true, true),
    row("history", true, true),
    row("undo 1 permissions.yaml --mode enforce --yes", true, true),
    row("approve 0123abcd", true, true),
    row("pause", true, true),
    row("resume", true, true),
    row("simulate", false, false),
    row("demo", false, false),
    row("schema", false, true),
    row("completions bash", false, true),
    row("man", false, true),
];
/// Other ways to call them which have data to print.
const MORE: &[&str] = &[
    "plan permissions.yaml --output json",
    "plan permissions.yaml --detailed-exitcode",
    "apply permissions.yaml --mode enforce --yes --output json",
    "run permissions.yaml --mode observe --once",
    "check permissions.yaml --output json",
    "history --output json",
    "schema permissions",
    "man plan",
    "--version",
    "--help",
    "help",
    "help plan",
    "plan --help",
];

impl Row {
    fn name(&self) -> &'static str {
        self.words.split(' ').next().unwrap_or_default()
    }
}

/// Nothing is as written, and a journal has one entry.
fn world() -> (Lambda, Room) {
    let live = service("b", "s3.amazonaws.com", "arn:aws:s3:::other");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[live])}, {"name": "g"}]));
    let room = lambda.room(WISHES);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --target g");
    assert_eq!(said.code, Some(0), "{said:?}");
    (lambda, room)
}

/// How it ends when this stream leads to a reader that went away. The other one is what it said.
fn unread(room: &Room, words: &str, stdout: bool, stderr: bool) -> Said {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let stream = |broken: bool| {
        if broken { Stdio::from(writer.try_clone().unwrap()) } else { Stdio::piped() }
    };
    let mut command = room.command(PERMITD);
    command.args(words.split_whitespace()).stdout(stream(stdout)).stderr(stream(stderr));
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let text = |it: Vec<u8>| String::from_utf8(it).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn the_table_has_every_command() {
    let names: Vec<String> = ROWS.iter().map(|it| it.name().to_owned()).collect();
    assert_eq!(
        names.iter().cloned().collect::<std::collections::BTreeSet<_>>(),
        commands(&Room::new())
    );
}

#[test]
fn help_is_data() {
    let room = Room::new();
    for row in ROWS {
        let name = row.name();
        for words in [format!("{name} --help"), format!("{name} -h"), format!("help {name}")] {
            let said = room.permitd(&words);
            assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words}: {said:?}");
            assert!(said.out.contains(&format!("Usage: permitd {name}")), "{words}: {said:?}");
        }
    }
    for words in ["--help", "-h", "help", "--version", "-V"] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words}: {said:?}");
        assert!(
            said.out.starts_with("permitd ") || said.out.contains("Usage: permitd"),
            "{said:?}"
        );
    }
}

#[test]
fn wrong_usage_is_told_on_stderr() {
    let room = Room::new();
    room.write("permissions.yaml", WISHES);
    let refused = |room: &Room, words: &str, cause: &str| {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "{words}: {said:?}");
        assert!(said.err.contains(cause), "{words}: no `{cause}` in {said:?}");
    };
    for row in ROWS {
        let Row { words, .. } = row;
        let bogus = format!("{words} --bogus");
        refused(&room, &bogus, "unexpected argument '--bogus'");
        refused(&room, &bogus, &format!("Usage: permitd {}", row.name()));
        refused(&room, &format!("{words} --color purple"), "invalid value 'purple'");
        refused(&room, &format!("{words} --log-level ="), "--log-level `=`");
        let blue = Room::new().with("PERMITD_COLOR", "blue");
        blue.write("permissions.yaml", WISHES);
        refused(&blue, words, "invalid value 'blue' for '--color <WHEN>'");
    }
    refused(&room, "", "Usage: permitd");
    refused(&room, "nothing", "unrecognized subcommand 'nothing'");
}

/// Before anything else, and also where nothing of it would be needed.
#[test]
fn wrong_settings_are_told_on_stderr() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda.room(WISHES);
    room.write("bad.yaml", "permissions: [permissions.yaml]\nmode: destroy\n");
    for row in ROWS.iter().filter(|it| it.configured) {
        for (file, cause) in
            [("bad.yaml", "--> bad.yaml:2:7"), ("nowhere.yaml", "cannot read nowhere.yaml")]
        {
            let words = format!("{} --config {file}", row.words);
            let said = room.permitd(&words);
            assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{words}: {said:?}");
            assert!(said.err.contains(cause), "{words}: {said:?}");
        }
    }
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

/// A broken pipe is no error, and nothing is left undone for it.
#[test]
fn nobody_reads() {
    let (lambda, room) = world();
    let ways = ROWS.iter().filter(|it| it.ends).map(|it| it.words).chain(MORE.iter().copied());
    for words in ways.chain(["plan --bogus", "plan permissions.yaml --config nowhere.yaml"]) {
        // What changes something has changed it the first time, and says the same from the second on.
        room.permitd(words);
        let usual = room.permitd(words);
        let quiet = |it: &Said| !it.err.contains("panicked") && !it.err.contains("roken pipe");
        let said = unread(&room, words, true, false);
        assert_eq!(said.code, usual.code, "{words}: {said:?}");
        assert!(quiet(&said), "{words}: {said:?}");
        let said = unread(&room, words, false, true);
        assert_eq!(said.code, usual.code, "{words}: {said:?}");
        assert_eq!(said.out.lines().count(), usual.out.lines().count(), "{words}: {said:?}");
        assert_eq!(unread(&room, words, true, true).code, usual.code, "{words}");
    }
    drop(lambda);
}

/// What an apply does it does also where nobody hears of it.
#[test]
fn nobody_reads_what_is_done() {
    let live = service("b", "s3.amazonaws.com", "arn:aws:s3:::other");
    for words in [
        "apply permissions.yaml --mode enforce --yes",
        "apply permissions.yaml --mode enforce --yes --output json",
        "run permissions.yaml --mode enforce --once",
    ] {
        let lambda = Lambda::new(
            &json!([{"name": "f", "policy": policy(std::slice::from_ref(&live))}, {"name": "g"}]),
        );
        let room = lambda.room(WISHES);
        let said = unread(&room, words, true, true);
        assert_eq!(said.code, Some(0), "{words}");
        assert_eq!((lambda.sids("f"), lambda.sids("g")), (vec!["b".into()], vec!["a".into()]));
        assert_eq!(
            lambda.statements("f")[0]["Condition"]["ArnLike"]["AWS:SourceArn"],
            "arn:aws:s3:::b"
        );
    }
}

/// Closed from the start, as by `>&-`: as good as nobody who reads.
#[test]
fn streams_that_are_closed() {
    let (_lambda, room) = world();
    let ways = ROWS.iter().filter(|it| it.ends).map(|it| it.words).chain(MORE.iter().copied());
    for words in ways {
        room.permitd(words);
        let usual = room.permitd(words);
        let script = format!("exec '{PERMITD}' {words} >&- 2>&- <&-");
        let status = room.command("sh").args(["-c", &script]).status().unwrap();
        assert_eq!(status.code(), usual.code, "{words}: {usual:?}");
    }
}

/// Data that could not be written are not there: an error, unlike a reader that has seen enough.
#[test]
fn a_disk_that_is_full() {
    let full = "/dev/full";
    if !std::path::Path::new(full).exists() {
        return;
    }
    let (_lambda, room) = world();
    for words in [
        "plan permissions.yaml",
        "plan permissions.yaml --output json",
        "check permissions.yaml",
        "check permissions.yaml --output json",
        "apply permissions.yaml --mode enforce --yes",
        "run permissions.yaml --mode enforce --once",
        "history",
        "history --output json",
        "schema",
        "completions zsh",
        "man",
        "--help",
        "plan --help",
        "--version",
    ] {
        let sink = std::fs::OpenOptions::new().write(true).open(full).unwrap();
        let mut command = room.command(PERMITD);
        let output = command.args(words.split_whitespace()).stdout(sink).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {err}");
        assert!(err.contains("error: cannot write"), "{words}: {err}");
    }
}

/// What goes on until it is told to stop: the demo is nothing but its output, the simulator is more than that.
#[test]
fn what_goes_on() {
    let room = Room::new();
    let said = unread(&room, "demo", true, false);
    assert_eq!((said.code, said.err.contains("panicked")), (Some(0), false), "{said:?}");

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = room.command(PERMITD);
    command.arg("simulate").stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut line = String::new();
    let mut err = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut err, &mut line).unwrap();
    assert!(line.starts_with("This is a simulator"), "{line}");
    assert!(child.try_wait().unwrap().is_none(), "it serves on");
    child.kill().unwrap();
    child.wait().unwrap();

    let mut command = room.command(PERMITD);
    command.arg("demo");
    let mut demo = Running::new(command);
    demo.says("Ctrl-C ends the demo.");
    demo.stops();
}

/// Without a word on stderr, and `-q` takes nothing from the data.
#[test]
fn what_is_quiet_has_its_data() {
    let (_lambda, room) = world();
    for words in ["plan permissions.yaml", "check permissions.yaml", "history", "schema", "man"] {
        let usual = room.permitd(words);
        let said = room.permitd(&format!("{words} -q"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words}: {said:?}");
        assert!(!said.out.is_empty() && said.out == usual.out, "{words}: {said:?} {usual:?}");
    }
}
