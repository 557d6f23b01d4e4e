//! What the daemon logs: constant messages with fields, what is new once, and nothing secret.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, Running, account_at, http, policy};

/// The one function is put right, at the other too much would go.
const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
      - {sid: b, principal: '210987654321'}
  - function: g
    ownership: all
    statements: [{sid: a, principal: '210987654321'}]
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
poll_interval: 1s
limits: {max_revocations: 1, max_changed_targets: unlimited}
budgets: {get_policy: unlimited, control: unlimited}
";

fn set_up() -> (Lambda, Room) {
    let crowd = [("a", "210987654321"), ("one", "310987654321"), ("two", "410987654321")];
    let crowd = crowd.map(|(sid, id)| account_at("g", sid, id));
    let lambda = Lambda::new(&json!([{"name": "f"}, {"name": "g", "policy": policy(&crowd)}]));
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", SETTINGS);
    (lambda, room)
}

/// Waits for so many more passes.
fn passes(daemon: &mut Running, n: usize) {
    let before = daemon.lines_with(&["pass done"]);
    daemon.logs_lines(&["pass done"], before + n);
}

/// What happened is told when it happens, and what stays is not told in every pass.
#[test]
fn what_is_new_is_told_once() {
    let (lambda, room) = set_up();
    let mut daemon = room.start("run");
    passes(&mut daemon, 4);
    let lambda_says = "permitd approve ";
    for (parts, n) in [
        (&["drift found", "sid=\"a\"", "kind=\"missing\"", FN][..], 1),
        (&["statement added", "sid=\"a\"", FN], 1),
        (&["repaired", "sid=\"a\"", FN], 1),
        (&["drift found", "sid=\"one\"", "kind=\"unmanaged\"", "function:g"], 1),
        (&["WARN held ", "sid=\"one\"", "reason=\"max_revocations\""], 1),
        (&["WARN held ", "sid=\"two\"", "reason=\"max_revocations\""], 1),
        (&["held until somebody says yes", "statements=2", lambda_says], 1),
        (&["back to normal", FN], 1),
    ] {
        assert_eq!(daemon.lines_with(parts), n, "{parts:?}\n{}", daemon.err());
    }
    // Every line says where, and what set it off.
    for line in daemon.err().lines().filter(|it| it.contains(" sid=")) {
        assert!(line.contains(" arn=arn:aws:lambda:") && line.contains(" pass=1 "), "{line}");
        assert!(line.contains("trigger=\"full pass\""), "{line}");
    }
    // Another statement makes it another thing to say yes to.
    lambda.grant("g", "three", "510987654321");
    daemon.logs_line(&["held until somebody says yes", "statements=3"]);
    passes(&mut daemon, 2);
    assert_eq!(daemon.lines_with(&["held until somebody says yes"]), 2, "{}", daemon.err());
    daemon.stops();
}

#[test]
fn a_failure_is_told_once_with_the_id_of_its_request() {
    let (lambda, room) = set_up();
    let denied = json!({"operation": "AddPermission", "times": "forever", "kind": "error",
        "status": 403, "code": "AccessDeniedException"});
    lambda.faults(&json!({ "faults": [denied] }));
    let mut daemon = room.start("run --log-level debug");
    passes(&mut daemon, 3);
    let failed = ["WARN failed ", "reason=\"access_denied\"", "request_id=\"", "hint=\"allow", FN];
    assert_eq!(daemon.lines_with(&failed), 1, "{}", daemon.err());
    // Every request leaves a trace, with the target and the id.
    let calls: Vec<String> = daemon
        .err()
        .lines()
        .filter(|it| it.contains("lambda has answered") || it.contains("a call has failed"))
        .map(str::to_owned)
        .collect();
    assert!(calls.len() >= 6, "{calls:?}");
    for it in calls {
        assert!(it.contains("request_id=\"") && it.contains(" arn=arn:aws:lambda:"), "{it}");
    }
    // Once it may, all is well.
    lambda.faults(&json!({ "faults": [] }));
    daemon.logs_line(&["back to normal", "before=\"failed\"", FN]);
    daemon.stops();
}

/// A state is told with its target at every level that tells it.
#[test]
fn at_level_warn_the_target_is_still_there() {
    let (_lambda, room) = set_up();
    let mut daemon = room.start("run --log-level warn");
    daemon.logs_line(&["held until somebody says yes"]);
    let err = daemon.err();
    let held = err.lines().find(|it| it.contains("WARN held ")).unwrap();
    assert!(held.contains("arn=arn:aws:lambda:") && held.contains("trigger="), "{held}");
    assert!(!err.contains("INFO"), "{err}");
    daemon.stops();
}

fn json_lines(text: &str) -> Vec<Value> {
    let parse = |it: &str| serde_json::from_str(it).unwrap_or_else(|why| panic!("{why}: {it}"));
    text.lines().map(parse).collect()
}

/// Lines are counted and filtered by message: there are few, and nothing of a target is in them.
#[test]
fn as_json_messages_are_constant_and_fields_are_flat() {
    let (lambda, room) = set_up();
    let mut daemon = room.start("run --log-format json --log-level debug");
    daemon.logs("held until somebody says yes");
    daemon.logs("back to normal");
    lambda.revoke("f", "a");
    lambda.converges("f", &["b", "a"]);
    let denied = json!({"operation": "GetPolicy", "times": 2, "kind": "error", "status": 403,
        "code": "AccessDeniedException", "message": "no\nreally\u{1b}[31m"});
    lambda.faults(&json!({ "faults": [denied] }));
    daemon.logs("\"message\":\"failed\"");
    room.write("permissions.yaml", "functions: [{function: f, statments: []}]\n");
    daemon.logs("not usable");
    room.permitd("pause f").is(0, "paused: f is left alone until `permitd resume`\n", "");
    daemon.logs("\"message\":\"paused\"");
    daemon.stops();

    let lines = json_lines(&daemon.err());
    let mut messages = BTreeSet::new();
    for line in &lines {
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'), "{line}");
        assert!(line["level"].is_string(), "{line}");
        let flat = |it: &Value| !it.is_object() && !it.is_array();
        assert!(line.as_object().unwrap().values().all(flat), "{line}");
        let message = line["message"].as_str().unwrap();
        let constant = |it: char| it.is_alphabetic() || " ,;/'".contains(it);
        assert!(!message.is_empty() && message.chars().all(constant), "{line}");
        messages.insert(message.to_owned());
    }
    assert!((12..40).contains(&messages.len()), "{messages:?}");
    let of = |message: &str| -> &Value {
        let found = lines.iter().find(|it| it["message"] == message);
        found.unwrap_or_else(|| panic!("no `{message}` in {messages:?}"))
    };
    let added = of("statement added");
    assert_eq!(added["arn"], FN);
    assert_eq!((&added["pass"], &added["trigger"]), (&json!(1), &json!("full pass")));
    assert!(added["request_id"].is_string() && added["entry"].is_u64(), "{added}");
    assert_eq!(of("wrong in the files")["file"], "permissions.yaml");
    assert_eq!(of("wrong in the files")["line"], 1);
    assert!(of("pass done")["seconds"].is_number());
    assert!(of("failed")["request_id"].is_string(), "{}", of("failed"));
    assert!(of("lambda has answered")["arn"].is_string());
}

const SECRET: &str = "wJalrXUtnFEMIsecretK7MDENGbPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEsessionTokenThatNobodyMaySee";

/// What leads to somebody else's door: a key, and what a request is signed with.
fn secrets_in(text: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    [SECRET, TOKEN, "Signature=", "AWS4-HMAC-SHA256", "x-amz-security-token:", "authorization:"]
        .into_iter()
        .filter(|it| text.contains(&it.to_lowercase()))
        .collect()
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|it| it.unwrap().path());
    paths.flat_map(|it| if it.is_dir() { files_below(&it) } else { vec![it] }).collect()
}

fn with_keys(room: Room) -> Room {
    room.with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_SESSION_TOKEN", TOKEN)
        .with("PERMITD_LOG_LEVEL", "trace,permitd=trace")
}

#[test]
fn nothing_secret_is_told_anywhere() {
    let (lambda, room) = set_up();
    let room = with_keys(room);
    let error = |status: u16, code: &str, times: u32| json!({"operation": "*Permission", "times": times, "kind": "error", "status": status, "code": code});
    let faults = [
        error(403, "AccessDeniedException", 1),
        error(429, "TooManyRequestsException", 1),
        error(500, "ServiceException", 1),
        json!({"operation": "GetPolicy", "times": 1, "kind": "error", "status": 403, "code": "InvalidSignatureException"}),
    ];
    lambda.faults(&json!({ "faults": faults }));
    let mut told = String::new();
    let reports = "--report r.txt --report r.json --report r.md --report r.html";
    for words in [
        format!("plan {reports}"),
        "run --once".to_owned(),
        "apply --yes --output json".to_owned(),
        "history".to_owned(),
        "import --function f --out imported".to_owned(),
    ] {
        let said = room.permitd(&words);
        assert!(!said.err.is_empty() || words == "history", "{words} is at level trace");
        write!(told, "{}{}", said.out, said.err).unwrap();
    }
    let mut daemon = room.start("run");
    daemon.logs("listening for /livez");
    let log = daemon.err();
    let at = log.split_once("listening for /livez").unwrap().1.split_once("address=").unwrap().1;
    let at = format!("http://{}", at.split_whitespace().next().unwrap());
    passes(&mut daemon, 2);
    for path in ["/status", "/", "/metrics"] {
        let (status, body) = http(&at, "GET", path, "");
        assert_eq!(status, 200, "{path}");
        told.push_str(&body);
    }
    daemon.stops();
    // The journal and the files of reports are among them.
    let mut files = files_below(&room.path("."));
    assert!(files.len() > 6, "{files:?}");
    files.retain(|it| !secrets_in(&std::fs::read(it).unwrap_or_default()).is_empty());
    assert_eq!(files, [""; 0].map(PathBuf::from));
    let unreachable = room.with("AWS_ENDPOINT_URL", "http://127.0.0.1:9").permitd("plan");
    assert_eq!(unreachable.code, Some(1), "{unreachable:?}");
    write!(told, "{}{}{}", unreachable.out, unreachable.err, daemon.err()).unwrap();
    // The SDK was asked to tell everything that it may.
    assert!(told.contains("aws_smithy_runtime::"), "{told}");
    assert_eq!(secrets_in(told.as_bytes()), [""; 0]);
}

/// The scan finds what it looks for.
#[test]
fn a_secret_would_be_found() {
    for it in [SECRET, TOKEN, "Authorization: AWS4-HMAC-SHA256 Credential=x, Signature=y"] {
        assert!(!secrets_in(format!("a {it} b").as_bytes()).is_empty(), "{it}");
    }
}
